import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** Until when a user may not send, in Unix milliseconds: 0 when not muted, `forever` when permanent. */
@Entity('user_mutes', { withoutRowid: true })
@Index('user_mutes_by_expiry', ['app_id', 'expires_at'])
export class UserMuteRow {
  @PrimaryColumn({ type: 'varchar', length: 36 })
  app_id!: string;

  @PrimaryColumn({ type: 'varchar', length: 36 })
  user_uuid!: string;

  @Column({ type: 'bigint' })
  chat_until!: number;

  @Column({ type: 'bigint' })
  groupchat_until!: number;

  @Column({ type: 'bigint' })
  chatroom_until!: number;

  /** The latest of the three. */
  @Column({ type: 'bigint' })
  expires_at!: number;
}
