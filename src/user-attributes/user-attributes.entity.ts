import { Column, Entity, PrimaryColumn } from 'typeorm';

/** The attributes of a user. A user who never had any has no row. */
@Entity('user_attributes', { withoutRowid: true })
export class UserAttributesRow {
  @PrimaryColumn({ type: 'varchar', length: 36 })
  app_id!: string;

  @PrimaryColumn({ type: 'varchar', length: 36 })
  user_uuid!: string;

  /** A JSON object with string values. */
  @Column({ type: 'text' })
  attributes!: string;

  /** The attributes' share of the app's usage. */
  @Column({ type: 'bigint' })
  bytes!: number;

  @Column({ type: 'bigint' })
  modified_at!: number;
}
