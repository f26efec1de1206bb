import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** The answer of a call with an Idempotency-Key, kept until the key expires. */
@Entity('idempotent_answers', { withoutRowid: true })
@Index('idempotent_answers_by_expiry', ['app_id', 'expires_at'])
export class IdempotentAnswerRow {
  @PrimaryColumn({ type: 'varchar', length: 36 })
  app_id!: string;

  /** SHA-256 of caller and key. */
  @PrimaryColumn({ type: 'varchar', length: 43 })
  key_hash!: string;

  /** SHA-256 of the request. */
  @Column({ type: 'varchar', length: 43 })
  request_hash!: string;

  /** The status, and the body encrypted under a key derived from the Idempotency-Key. */
  @Column({ type: 'text' })
  answer!: string;

  @Column({ type: 'bigint' })
  expires_at!: number;

  /** null: written by an older version. */
  @Column({ type: 'bigint', nullable: true })
  operation_id!: number | null;
}
