import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** A receiver's copy of a message. */
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

  /** The receiver's own message id, unique in the app. It grows with time, which is how expired messages are found. */
  @Column({ type: 'bigint' })
  id!: number;

  /** The row of `messages`. */
  @Column({ type: 'bigint' })
  message_id!: number;

  /** See `storedState`. */
  @Column({ type: 'smallint' })
  state!: number;

  /** 1: the receiver was offline when it arrived. */
  @Column({ type: 'smallint' })
  offline!: number;

  /** 1: never unread, because the receiver is also the sender or the message was for open sessions only. */
  @Column({ type: 'smallint' })
  own!: number;

  @Column({ type: 'bigint' })
  created_at!: number;

  /** The folded name, as in `messages`; null where an older version stored the message. */
  @Column({ type: 'varchar', length: 255, nullable: true })
  sender!: string | null;
}
