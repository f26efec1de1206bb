import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** A nonce that an identity token has used, kept until it would have expired anyway. */
@Entity('used_nonces', { withoutRowid: true })
@Index('used_nonces_by_expiry', ['app_id', 'expires_at'])
export class UsedNonceRow {
  @PrimaryColumn({ type: 'varchar', length: 36 })
  app_id!: string;

  @PrimaryColumn({ type: 'varchar', length: 40 })
  nonce!: string;

  @Column({ type: 'bigint' })
  expires_at!: number;
}
