import { Column, Entity, PrimaryColumn } from 'typeorm';

/** What is kept of the presence of a user who has published something, or whom somebody watches. */
@Entity('presence_states', { withoutRowid: true })
export class PresenceStateRow {
  @PrimaryColumn({ type: 'varchar', length: 36 })
  app_id!: string;

  @PrimaryColumn({ type: 'varchar', length: 36 })
  user_uuid!: string;

  /** A JSON object of texts: what was published, by resource. */
  @Column({ type: 'text' })
  statuses!: string;

  @Column({ type: 'text' })
  ext!: string;

  /** Unix milliseconds of the last log in or log out that was noted; 0: none was. */
  @Column({ type: 'bigint' })
  last_online_at!: number;

  /** How many subscriptions of others there are, over or not; changes under the lock of this row. */
  @Column({ type: 'bigint' })
  watchers!: number;
}
