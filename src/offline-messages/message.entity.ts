import { Column, Entity, PrimaryColumn } from 'typeorm';

/** The content of a message, stored once for up to 300 receivers. */
@Entity('messages', { withoutRowid: true })
export class MessageRow {
  @PrimaryColumn({ type: 'varchar', length: 36 })
  app_id!: string;

  @PrimaryColumn({ type: 'bigint' })
  id!: number;

  /** A folded name; the sender need not be a user. */
  @Column({ type: 'varchar', length: 255 })
  sender!: string;

  @Column({ type: 'varchar', length: 16 })
  chat_type!: string;

  @Column({ type: 'varchar', length: 16 })
  type!: string;

  /** JSON. Not a JSON column: those reorder members, each engine in its own way. */
  @Column({ type: 'text' })
  body!: string;

  @Column({ type: 'text', nullable: true })
  ext!: string | null;

  @Column({ type: 'bigint' })
  created_at!: number;
}
