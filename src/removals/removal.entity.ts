import { Column, Entity, PrimaryColumn } from 'typeorm';

/** Something that is deleted for everybody, and of which rows are left that nobody reaches. */
@Entity('removals', { withoutRowid: true })
export class RemovalRow {
  @PrimaryColumn({ type: 'varchar', length: 36 })
  app_id!: string;

  @PrimaryColumn({ type: 'varchar', length: 8 })
  kind!: 'user' | 'group';

  /** The uuid of the user or the id of the group. */
  @PrimaryColumn({ type: 'varchar', length: 36 })
  subject!: string;

  /** How many portions were removed since: if the number moves, somebody is at work on it. */
  @Column({ type: 'bigint' })
  portions!: number;
}
