import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

@Entity('group_members', { withoutRowid: true })
@Index('group_members_by_user', ['app_id', 'user_uuid', 'kind', 'group_id'])
export class GroupMemberRow {
  @PrimaryColumn({ type: 'varchar', length: 36 })
  app_id!: string;

  @PrimaryColumn({ type: 'bigint' })
  group_id!: number;

  @PrimaryColumn({ type: 'varchar', length: 36 })
  user_uuid!: string;

  /** The kind of the group, so that a user's groups are one index range. */
  @Column({ type: 'varchar', length: 8 })
  kind!: 'group' | 'room';

  @Column({ type: 'bigint' })
  joined_at!: number;
}
