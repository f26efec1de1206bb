import { Column, Entity, PrimaryColumn } from 'typeorm';

/**
 * One per user who ever received a message. Every change to the inbox locks this row first, so its counters are right
 * by construction, and messages become visible in the order of the numbers that `last_seq` hands out.
 */
@Entity('inboxes', { withoutRowid: true })
export class InboxRow {
  @PrimaryColumn({ type: 'varchar', length: 36 })
  app_id!: string;

  @PrimaryColumn({ type: 'varchar', length: 36 })
  user_uuid!: string;

  @Column({ type: 'bigint' })
  last_seq!: number;

  /** Everything up to this `seq` has been read. */
  @Column({ type: 'bigint' })
  read_seq!: number;

  /** How many rows are in state `undelivered`. */
  @Column({ type: 'bigint' })
  undelivered!: number;

  /** How many rows are in state `undelivered` or `delivered`: the user's offline messages. */
  @Column({ type: 'bigint' })
  kept!: number;

  /** How many rows are in state `history` or `live`. */
  @Column({ type: 'bigint' })
  history!: number;
}
