import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A single row: what all nodes together know about the passing of time. */
@Entity('retention_clock', { withoutRowid: true })
export class RetentionClockRow {
  /** 1 */
  @PrimaryColumn({ type: 'smallint' })
  id!: number;

  /** Unix milliseconds: the time by the clock of the node that checked last. */
  @Column({ type: 'bigint' })
  seen_at!: number;

  /** Unix milliseconds: the time to which a clock last jumped; 0: none did. */
  @Column({ type: 'bigint' })
  leapt_to!: number;
}
