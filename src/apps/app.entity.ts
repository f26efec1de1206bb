import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

@Entity('apps')
@Index('apps_by_name', ['org', 'name'], { unique: true })
export class AppRow {
  @PrimaryColumn({ type: 'varchar', length: 36 })
  id!: string;

  @Column({ type: 'varchar', length: 64 })
  org!: string;

  @Column({ type: 'varchar', length: 64 })
  name!: string;

  /** The App ID that tokens and headers name. */
  @Index('apps_by_public_id', { unique: true })
  @Column({ type: 'varchar', length: 32 })
  public_id!: string;

  /** As `Seal` writes it, like the next one and `token_secret`. */
  @Column({ type: 'varchar', length: 255 })
  certificate!: string;

  /** Still valid after a rotation, until the next one. */
  @Column({ type: 'varchar', length: 255, nullable: true })
  previous_certificate!: string | null;

  /** `hashCertificate` of the certificate; null or outdated if an older version wrote the row. */
  @Index('apps_by_certificate_hash')
  @Column({ type: 'varchar', length: 43, nullable: true })
  certificate_hash!: string | null;

  @Index('apps_by_previous_certificate_hash')
  @Column({ type: 'varchar', length: 43, nullable: true })
  previous_certificate_hash!: string | null;

  @Index('apps_by_alias', { unique: true })
  @Column({ type: 'varchar', length: 64, nullable: true })
  alias!: string | null;

  @Column({ type: 'varchar', length: 255, default: '' })
  token_secret!: string;

  @Column({ type: 'varchar', length: 64, nullable: true })
  client_id!: string | null;

  /** As `Seal` has it. */
  @Column({ type: 'varchar', length: 255, nullable: true })
  client_secret!: string | null;

  @Column({ type: 'smallint' })
  disabled!: number;

  /** The settings that differ from the defaults, as JSON. */
  @Column({ type: 'text' })
  settings!: string;

  @Column({ type: 'bigint' })
  created_at!: number;
}
