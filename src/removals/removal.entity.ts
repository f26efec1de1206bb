import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A deleted user or group, or a cleared list of contacts, with rows left that no caller can reach. */
@Entity('removals', { withoutRowid: true })
export class RemovalRow {
  @PrimaryColumn({ type: 'varchar', length: 36 })
  app_id!: string;

  @PrimaryColumn({ type: 'varchar', length: 8 })
  kind!: 'user' | 'group' | 'contacts';

  /** The uuid of the user, or the id of the group or list. */
  @PrimaryColumn({ type: 'varchar', length: 36 })
  subject!: string;

  /** How many portions have been removed: while the number grows, some node is working on it. */
  @Column({ type: 'bigint' })
  portions!: number;
}
