import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** A user on a list of a group. A user's entries in one group are one key range. */
@Entity('group_list_entries', { withoutRowid: true })
@Index('group_list_entries_by_end', ['app_id', 'group_id', 'list', 'expires_at', 'id'])
@Index('group_list_entries_by_user', ['app_id', 'user_uuid', 'group_id'])
export class GroupListEntryRow {
  @PrimaryColumn({ type: 'varchar', length: 36 })
  app_id!: string;

  /** 0 for an app-wide list. */
  @PrimaryColumn({ type: 'bigint' })
  group_id!: number;

  @PrimaryColumn({ type: 'varchar', length: 36 })
  user_uuid!: string;

  @PrimaryColumn({ type: 'varchar', length: 16 })
  list!: 'admin' | 'block' | 'mute' | 'super_admin';

  @Column({ type: 'bigint' })
  expires_at!: number;

  @Column({ type: 'bigint' })
  id!: number;
}
