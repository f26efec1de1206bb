import { Column, Entity, PrimaryColumn } from 'typeorm';

/** One row: what all nodes together know of the time that passes. */
@Entity('retention_clock', { withoutRowid: true })
export class RetentionClockRow {
  /** 1 */
  @PrimaryColumn({ type: 'smallint' })
  id!: number;

  /** Unix milliseconds: the time by the clock of the node that looked last. */
  @Column({ type: 'bigint' })
  seen_at!: number;

  /** Unix milliseconds: the time to which a clock leapt last; 0: none did. */
  @Column({ type: 'bigint' })
  leapt_to!: number;
}
