import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** When a user was last online, in Unix milliseconds. A user who never was has no row. */
@Entity('user_last_seen', { withoutRowid: true })
@Index('user_last_seen_by_time', ['app_id', 'at', 'user_uuid'])
export class UserLastSeenRow {
  @PrimaryColumn({ type: 'varchar', length: 36 })
  app_id!: string;

  @PrimaryColumn({ type: 'varchar', length: 36 })
  user_uuid!: string;

  @Column({ type: 'bigint' })
  at!: number;
}
