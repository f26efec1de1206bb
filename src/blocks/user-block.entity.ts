import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** A user's block of another user's messages. */
@Entity('user_blocks', { withoutRowid: true })
@Index('user_blocks_by_id', ['app_id', 'user_uuid', 'id'])
@Index('user_blocks_by_blocked', ['app_id', 'blocked_uuid', 'user_uuid'])
export class UserBlockRow {
  @PrimaryColumn({ type: 'varchar', length: 36 })
  app_id!: string;

  /** The user who blocks. */
  @PrimaryColumn({ type: 'varchar', length: 36 })
  user_uuid!: string;

  @PrimaryColumn({ type: 'varchar', length: 36 })
  blocked_uuid!: string;

  /** Increases over time; the list is ordered by it. */
  @Column({ type: 'bigint' })
  id!: number;
}
