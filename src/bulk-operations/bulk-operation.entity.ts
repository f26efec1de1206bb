import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** A change of many users, or an undo. Its id is that of the operation in the audit trail. Times are Unix milliseconds. */
@Entity('bulk_operations', { withoutRowid: true })
@Index('bulk_operations_by_end', ['app_id', 'finished_at', 'id'])
@Index('bulk_operations_by_undone', ['app_id', 'undoes'], { unique: true })
export class BulkOperationRow {
  @PrimaryColumn({ type: 'varchar', length: 36 })
  app_id!: string;

  @PrimaryColumn({ type: 'bigint' })
  id!: number;

  @Column({ type: 'varchar', length: 16 })
  action!: string;

  @Column({ type: 'varchar', length: 16 })
  state!: string;

  /** JSON: the terms of a ban, the filter. */
  @Column({ type: 'text' })
  request!: string;

  /** JSON: who has asked for it, for the audit trail. */
  @Column({ type: 'text' })
  caller!: string;

  /** The operation that this one undoes; null: none. */
  @Column({ type: 'bigint', nullable: true })
  undoes!: number | null;

  /** Up to which id of a user, or number of an audit entry, the items have been collected. */
  @Column({ type: 'bigint' })
  collected_to!: number;

  /** How many items there are, and how many of them have which outcome. */
  @Column({ type: 'bigint' })
  total!: number;

  @Column({ type: 'bigint' })
  changed!: number;

  @Column({ type: 'bigint' })
  unchanged!: number;

  @Column({ type: 'bigint' })
  failed!: number;

  @Column({ type: 'bigint' })
  created_at!: number;

  /** 0: it is not finished. */
  @Column({ type: 'bigint' })
  finished_at!: number;

  /** Which process works on it, and until when nobody else does. */
  @Column({ type: 'varchar', length: 36, nullable: true })
  lease_owner!: string | null;

  @Column({ type: 'bigint' })
  lease_until!: number;
}
