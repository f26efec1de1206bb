import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** A chat group or a chat room. */
@Entity('chat_groups', { withoutRowid: true })
@Index('chat_groups_by_owner', ['app_id', 'owner_uuid'])
@Index('chat_groups_by_kind', ['app_id', 'kind', 'id'])
export class ChatGroupRow {
  @PrimaryColumn({ type: 'varchar', length: 36 })
  app_id!: string;

  @PrimaryColumn({ type: 'bigint' })
  id!: number;

  @Column({ type: 'varchar', length: 8 })
  kind!: 'group' | 'room';

  @Column({ type: 'varchar', length: 36 })
  owner_uuid!: string;

  @Column({ type: 'varchar', length: 255 })
  name!: string;

  @Column({ type: 'varchar', length: 1024 })
  description!: string;

  @Column({ type: 'varchar', length: 4096 })
  custom!: string;

  @Column({ type: 'smallint' })
  is_public!: number;

  @Column({ type: 'smallint' })
  members_only!: number;

  @Column({ type: 'smallint' })
  allow_invites!: number;

  @Column({ type: 'bigint' })
  members_most!: number;

  /** Number of members, including the owner; changed only while this row is locked. */
  @Column({ type: 'bigint' })
  members!: number;

  @Column({ type: 'bigint' })
  created_at!: number;

  @Column({ type: 'bigint' })
  modified_at!: number;

  /** Up to 512 characters; null when there is none. */
  @Column({ type: 'varchar', length: 512, nullable: true })
  announcement!: string | null;
}
