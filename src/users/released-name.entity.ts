import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** A name freed by the deletion of its user; kept for as long as a token naming that user may live. */
@Entity('released_names', { withoutRowid: true })
@Index('released_names_by_name', ['app_id', 'name_hash'])
@Index('released_names_by_expiry', ['app_id', 'expires_at'])
export class ReleasedNameRow {
  @PrimaryColumn({ type: 'varchar', length: 36 })
  app_id!: string;

  /** Random: one name may become free more than once. */
  @PrimaryColumn({ type: 'varchar', length: 22 })
  id!: string;

  /** SHA-256 of the folded name, so that the table doesn't reveal who was deleted. */
  @Column({ type: 'varchar', length: 43 })
  name_hash!: string;

  @Column({ type: 'bigint' })
  released_at!: number;

  @Column({ type: 'bigint' })
  expires_at!: number;
}
