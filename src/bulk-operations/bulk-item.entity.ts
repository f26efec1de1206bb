import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** A user whom a bulk operation changes, or an audit entry that an undo takes back, with what became of it. */
@Entity('bulk_items', { withoutRowid: true })
@Index('bulk_items_by_outcome', ['app_id', 'operation_id', 'outcome', 'seq'])
export class BulkItemRow {
  @PrimaryColumn({ type: 'varchar', length: 36 })
  app_id!: string;

  @PrimaryColumn({ type: 'bigint' })
  operation_id!: number;

  /** Also the number of its audit entry; for an undo, that of the entry that is taken back, too. */
  @PrimaryColumn({ type: 'bigint' })
  seq!: number;

  /** Username, as the caller wrote it if nobody has it; or the target of the entry. */
  @Column({ type: 'varchar', length: 255 })
  target!: string;

  @Column({ type: 'varchar', length: 36, nullable: true })
  user_uuid!: string | null;

  /** A place in `outcomes`: failures come first. */
  @Column({ type: 'smallint' })
  outcome!: number;

  /** Why it failed or was left as it was. */
  @Column({ type: 'varchar', length: 40, nullable: true })
  code!: string | null;
}
