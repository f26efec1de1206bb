import { Entity, PrimaryColumn } from 'typeorm';

/**
 * Where sealed entries are found by what they have. Written with their seal: four indexes that are kept with each entry
 * cost a ban a third of its rate.
 */
@Entity('audit_terms', { withoutRowid: true })
export class AuditTermRow {
  @PrimaryColumn({ type: 'varchar', length: 36 })
  app_id!: string;

  /** `target ann`, `actor user:ann` or `action user.ban`. */
  @PrimaryColumn({ type: 'varchar', length: 290 })
  term!: string;

  @PrimaryColumn({ type: 'bigint' })
  at!: number;

  @PrimaryColumn({ type: 'bigint' })
  operation_id!: number;

  @PrimaryColumn({ type: 'bigint' })
  seq!: number;
}
