import { Column, Entity, PrimaryColumn } from 'typeorm';

/** The contacts of a user. One who never had any has no row. */
@Entity('contact_lists', { withoutRowid: true })
export class ContactListRow {
  @PrimaryColumn({ type: 'varchar', length: 36 })
  app_id!: string;

  @PrimaryColumn({ type: 'varchar', length: 36 })
  user_uuid!: string;

  /** Another one each time the list is cleared, which puts the contacts of the one before out of reach at once. */
  @Column({ type: 'bigint' })
  list_id!: number;

  /** How many contacts there are; may count some who are deleted, until their rows are removed. */
  @Column({ type: 'bigint' })
  contacts!: number;
}
