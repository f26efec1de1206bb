import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** What a user has beyond the account. A user who was only ever used through Agora's routes has no row. */
@Entity('user_profiles', { withoutRowid: true })
@Index('user_profiles_by_token', ['app_id', 'token_hash'], { unique: true })
export class UserProfileRow {
  @PrimaryColumn({ type: 'varchar', length: 36 })
  app_id!: string;

  @PrimaryColumn({ type: 'varchar', length: 36 })
  user_uuid!: string;

  /** The name as it was written at the registration: its case is kept. */
  @Column({ type: 'varchar', length: 255 })
  user_id!: string;

  @Column({ type: 'varchar', length: 2048, nullable: true })
  avatar_url!: string | null;

  /** A JSON object; null: none was ever given. */
  @Column({ type: 'text', nullable: true })
  extras!: string | null;

  /** Which of the user's possible tokens is meant; another one with each reset. */
  @Column({ type: 'bigint' })
  token_version!: number;

  /** base64url of the SHA-256 of the user token, to find its user by. It is out of date where the app has a new secret. */
  @Column({ type: 'varchar', length: 43 })
  token_hash!: string;
}
