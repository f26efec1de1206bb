import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** A friend on a user's list. There is always a second row, on the friend's list, with the same id. */
@Entity('contacts', { withoutRowid: true })
@Index('contacts_by_id', ['app_id', 'list_id', 'id'])
export class ContactRow {
  @PrimaryColumn({ type: 'varchar', length: 36 })
  app_id!: string;

  @PrimaryColumn({ type: 'bigint' })
  list_id!: number;

  /** The friend's list; once the friend has a new one, this row no longer counts. */
  @PrimaryColumn({ type: 'bigint' })
  friend_list_id!: number;

  @Column({ type: 'varchar', length: 36 })
  friend_uuid!: string;

  /** Increases over time; the list is ordered by it. */
  @Column({ type: 'bigint' })
  id!: number;

  /** The user's own name for the friend; null when there is none. */
  @Column({ type: 'varchar', length: 255, nullable: true })
  remark!: string | null;
}
