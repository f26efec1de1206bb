import { Column, Entity, PrimaryColumn } from 'typeorm';

/** What the staff of an app has noted about a user. Never changed. */
@Entity('user_notes', { withoutRowid: true })
export class UserNoteRow {
  @PrimaryColumn({ type: 'varchar', length: 36 })
  app_id!: string;

  @PrimaryColumn({ type: 'varchar', length: 36 })
  user_uuid!: string;

  /** Time-ordered. */
  @PrimaryColumn({ type: 'bigint' })
  id!: number;

  /** Unix milliseconds. */
  @Column({ type: 'bigint' })
  at!: number;

  @Column({ type: 'varchar', length: 255 })
  author!: string;

  @Column({ type: 'text' })
  text!: string;
}
