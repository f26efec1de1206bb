import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A link of the chain that shows whether entries of an app were changed afterwards. */
@Entity('audit_seals', { withoutRowid: true })
export class AuditSealRow {
  @PrimaryColumn({ type: 'varchar', length: 36 })
  app_id!: string;

  /** From 1, without a gap. */
  @PrimaryColumn({ type: 'bigint' })
  number!: number;

  /** It seals the entries later than this time, in Unix milliseconds: where the seal before it ends. */
  @Column({ type: 'bigint' })
  from_at!: number;

  /** Up to and including this time. */
  @Column({ type: 'bigint' })
  to_at!: number;

  @Column({ type: 'bigint' })
  entries!: number;

  /** SHA-256 of the entries in the order of their time, operation and number; base64url. */
  @Column({ type: 'varchar', length: 43 })
  entries_hash!: string;

  /** The `hash` of the seal before it; empty for the first. */
  @Column({ type: 'varchar', length: 43 })
  previous_hash!: string;

  /** SHA-256 of everything above. */
  @Column({ type: 'varchar', length: 43 })
  hash!: string;

  /** 1: its entries were removed for their age. */
  @Column({ type: 'smallint' })
  pruned!: number;
}
