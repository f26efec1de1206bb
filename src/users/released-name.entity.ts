import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** That a name became free by the deletion of its user; kept for as long as a token that names that one may live. */
@Entity('released_names', { withoutRowid: true })
@Index('released_names_by_name', ['app_id', 'name_hash'])
@Index('released_names_by_expiry', ['app_id', 'expires_at'])
export class ReleasedNameRow {
  @PrimaryColumn({ type: 'varchar', length: 36 })
  app_id!: string;

  /** Drawn at random: one name may become free more than once. */
  @PrimaryColumn({ type: 'varchar', length: 22 })
  id!: string;

  /** SHA-256 of the folded name: who was deleted is not to be read here. */
  @Column({ type: 'varchar', length: 43 })
  name_hash!: string;

  @Column({ type: 'bigint' })
  released_at!: number;

  @Column({ type: 'bigint' })
  expires_at!: number;
}
