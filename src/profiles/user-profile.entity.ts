import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** A user's data beyond the account. A user only ever used through Agora's routes has no row. */
@Entity('user_profiles', { withoutRowid: true })
@Index('user_profiles_by_token', ['app_id', 'token_hash'], { unique: true })
export class UserProfileRow {
  @PrimaryColumn({ type: 'varchar', length: 36 })
  app_id!: string;

  @PrimaryColumn({ type: 'varchar', length: 36 })
  user_uuid!: string;

  /** The name as written at registration, with its case. */
  @Column({ type: 'varchar', length: 255 })
  user_id!: string;

  @Column({ type: 'varchar', length: 2048, nullable: true })
  avatar_url!: string | null;

  /** A JSON object; null: none was ever given. */
  @Column({ type: 'text', nullable: true })
  extras!: string | null;

  /** Selects one of the user's possible tokens; changes with each reset. */
  @Column({ type: 'bigint' })
  token_version!: number;

  /** base64url of the SHA-256 of the user token, to find its user by. Outdated once the app has a new secret. */
  @Column({ type: 'varchar', length: 43 })
  token_hash!: string;
}
