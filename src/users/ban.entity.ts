import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** One ban of a user: the current one and each earlier one. Times are Unix milliseconds. */
@Entity('bans', { withoutRowid: true })
@Index('bans_by_state', ['app_id', 'state', 'user_id'])
@Index('bans_by_due_time', ['app_id', 'due_at'])
export class BanRow {
  @PrimaryColumn({ type: 'varchar', length: 36 })
  app_id!: string;

  @PrimaryColumn({ type: 'varchar', length: 36 })
  user_uuid!: string;

  /** Grows with time: the order of a user's bans. */
  @PrimaryColumn({ type: 'bigint' })
  id!: number;

  /** The user's `id`, so that lists of banned users are in the order of registration. */
  @Column({ type: 'bigint' })
  user_id!: number;

  /** 1: in force, 2: planned; null for a ban that is over. At most one of a user is not null. */
  @Column({ type: 'smallint', nullable: true })
  state!: number | null;

  /** When time next changes the state; null: never. */
  @Column({ type: 'bigint', nullable: true })
  due_at!: number | null;

  @Column({ type: 'bigint' })
  starts_at!: number;

  /** null: for ever. */
  @Column({ type: 'bigint', nullable: true })
  ends_at!: number | null;

  @Column({ type: 'varchar', length: 1000, nullable: true })
  reason!: string | null;

  /** For staff only. */
  @Column({ type: 'varchar', length: 1000, nullable: true })
  note!: string | null;

  @Column({ type: 'varchar', length: 255 })
  banned_by!: string;

  @Column({ type: 'varchar', length: 32 })
  source!: string;

  @Column({ type: 'bigint' })
  created_at!: number;

  /** How it ended: `lifted`, `superseded` by another ban, `ended` by time; null: it has not, as far as is stored. */
  @Column({ type: 'varchar', length: 16, nullable: true })
  outcome!: string | null;

  /** When it was lifted or superseded. */
  @Column({ type: 'bigint', nullable: true })
  lifted_at!: number | null;

  @Column({ type: 'varchar', length: 255, nullable: true })
  lifted_by!: string | null;

  @Column({ type: 'varchar', length: 1000, nullable: true })
  lift_reason!: string | null;
}
