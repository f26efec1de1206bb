import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** A message as one receiver has it. */
@Entity('inbox_messages', { withoutRowid: true })
@Index('inbox_messages_by_id', ['app_id', 'id'], { unique: true })
@Index('inbox_messages_by_message', ['app_id', 'message_id'])
export class InboxMessageRow {
  @PrimaryColumn({ type: 'varchar', length: 36 })
  app_id!: string;

  @PrimaryColumn({ type: 'varchar', length: 36 })
  user_uuid!: string;

  /** 1, 2, 3 … in each inbox: the order of delivery. */
  @PrimaryColumn({ type: 'bigint' })
  seq!: number;

  /** The receiver's own message id, unique in the app; grows with time, which is what the sweeper goes by. */
  @Column({ type: 'bigint' })
  id!: number;

  /** The row of `messages`. */
  @Column({ type: 'bigint' })
  message_id!: number;

  /** 0: undelivered; 1: delivered, and an offline message; 2: delivered to somebody who was there. */
  @Column({ type: 'smallint' })
  state!: number;

  /** Whether the receiver was away when it arrived. */
  @Column({ type: 'smallint' })
  offline!: number;

  /** Whether the receiver sent it to themselves: such a message is never unread. */
  @Column({ type: 'smallint' })
  own!: number;

  @Column({ type: 'bigint' })
  created_at!: number;

  /** The folded name, as in `messages`; null where an older version stored the message. */
  @Column({ type: 'varchar', length: 255, nullable: true })
  sender!: string | null;
}
