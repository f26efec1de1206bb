import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** A change: who made it, to what, and what it was before. Written in the transaction that makes the change. */
@Entity('audit_entries', { withoutRowid: true })
@Index('audit_entries_by_time', ['app_id', 'at'])
@Index('audit_entries_by_target', ['app_id', 'target', 'at'])
@Index('audit_entries_by_actor', ['app_id', 'actor', 'at'])
@Index('audit_entries_by_action', ['app_id', 'action', 'at'])
export class AuditEntryRow {
  @PrimaryColumn({ type: 'varchar', length: 36 })
  app_id!: string;

  /** From `TimeOrderedIds`: grows with the time at which the operation began. */
  @PrimaryColumn({ type: 'bigint' })
  operation_id!: number;

  @PrimaryColumn({ type: 'bigint' })
  seq!: number;

  /** Unix milliseconds. */
  @Column({ type: 'bigint' })
  at!: number;

  /** The type of the caller, and after a colon its id, if it has one. */
  @Column({ type: 'varchar', length: 280 })
  actor!: string;

  @Column({ type: 'varchar', length: 45, nullable: true })
  address!: string | null;

  @Column({ type: 'varchar', length: 64, nullable: true })
  request_id!: string | null;

  @Column({ type: 'varchar', length: 40 })
  action!: string;

  @Column({ type: 'varchar', length: 255, nullable: true })
  target!: string | null;

  @Column({ type: 'varchar', length: 36, nullable: true })
  target_uuid!: string | null;

  @Column({ type: 'varchar', length: 16 })
  outcome!: string;

  @Column({ type: 'varchar', length: 255, nullable: true })
  reason!: string | null;

  /** JSON. */
  @Column({ type: 'text', nullable: true })
  old_values!: string | null;

  /** JSON. */
  @Column({ type: 'text', nullable: true })
  new_values!: string | null;

  @Column({ type: 'bigint' })
  changed!: number;
}
