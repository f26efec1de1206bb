import { Column, Entity, PrimaryColumn } from 'typeorm';

/** When a ban of an app next begins or ends: one row for each app that has such a ban. */
@Entity('next_ban_edges', { withoutRowid: true })
export class NextBanEdgeRow {
  @PrimaryColumn({ type: 'varchar', length: 36 })
  app_id!: string;

  /** Unix milliseconds; never later than any edge. */
  @Column({ type: 'bigint' })
  due_at!: number;

  /** Changes with each new edge, so that Galera sees a conflict with a node that moves `due_at` on. */
  @Column({ type: 'bigint' })
  additions!: number;
}
