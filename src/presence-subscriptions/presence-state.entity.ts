import { Column, Entity, PrimaryColumn } from 'typeorm';

/** Stored presence of a user who has published something or has watchers. */
@Entity('presence_states', { withoutRowid: true })
export class PresenceStateRow {
  @PrimaryColumn({ type: 'varchar', length: 36 })
  app_id!: string;

  @PrimaryColumn({ type: 'varchar', length: 36 })
  user_uuid!: string;

  /** A JSON object of strings: what was published, by resource. */
  @Column({ type: 'text' })
  statuses!: string;

  @Column({ type: 'text' })
  ext!: string;

  /** Unix milliseconds of the last recorded login or logout; 0: none. */
  @Column({ type: 'bigint' })
  last_online_at!: number;

  /** Number of subscriptions to this user, expired or not; changes only under this row's lock. */
  @Column({ type: 'bigint' })
  watchers!: number;
}
