import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

@Entity('users', { withoutRowid: true })
@Index('users_by_uuid', ['app_id', 'uuid'], { unique: true })
@Index('users_by_id', ['app_id', 'id'], { unique: true })
export class UserRow {
  @PrimaryColumn({ type: 'varchar', length: 36 })
  app_id!: string;

  @PrimaryColumn({ type: 'varchar', length: 255 })
  username!: string;

  @Column({ type: 'varchar', length: 36 })
  uuid!: string;

  @Column({ type: 'bigint' })
  id!: number;

  @Column({ type: 'varchar', length: 255, nullable: true })
  nickname!: string | null;

  /** 0: banned since it was stored, until `ban_ends_at`. */
  @Column({ type: 'smallint' })
  activated!: number;

  @Column({ type: 'bigint' })
  created_at!: number;

  @Column({ type: 'bigint' })
  modified_at!: number;

  @Column({ type: 'varchar', length: 255, nullable: true })
  password_hash!: string | null;

  @Column({ type: 'bigint' })
  token_epoch!: number;

  @Column({ type: 'smallint', default: 0 })
  has_blocks!: number;
  /** JSON of `PushSettings`, up to a hundred characters. In this row, so a user is one read; null takes no space. */
  @Column({ type: 'varchar', length: 255, nullable: true })
  push_settings!: string | null;

  /** When a planned ban begins; null once it is in force, or if there is none. */
  @Column({ type: 'bigint', nullable: true })
  ban_starts_at!: number | null;

  /** null: no end. */
  @Column({ type: 'bigint', nullable: true })
  ban_ends_at!: number | null;
}
