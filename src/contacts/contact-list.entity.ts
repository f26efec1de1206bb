import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A user's contact list. A user who never had contacts has no row. */
@Entity('contact_lists', { withoutRowid: true })
export class ContactListRow {
  @PrimaryColumn({ type: 'varchar', length: 36 })
  app_id!: string;

  @PrimaryColumn({ type: 'varchar', length: 36 })
  user_uuid!: string;

  /** Replaced each time the list is cleared, which makes the previous contacts unreachable at once. */
  @Column({ type: 'bigint' })
  list_id!: number;

  /** Number of contacts; may include deleted users until their rows are removed. */
  @Column({ type: 'bigint' })
  contacts!: number;
}
