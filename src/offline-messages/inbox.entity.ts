import { Column, Entity, PrimaryColumn } from 'typeorm';

/**
 * One per user who ever got a message. Whoever changes anything of the inbox locks this row first, so its counters are
 * right by construction and `last_seq` hands out numbers whose messages become visible in their order.
 */
@Entity('inboxes', { withoutRowid: true })
export class InboxRow {
  @PrimaryColumn({ type: 'varchar', length: 36 })
  app_id!: string;

  @PrimaryColumn({ type: 'varchar', length: 36 })
  user_uuid!: string;

  @Column({ type: 'bigint' })
  last_seq!: number;

  /** Everything up to this `seq` was read. */
  @Column({ type: 'bigint' })
  read_seq!: number;

  /** How many rows are in state 0. */
  @Column({ type: 'bigint' })
  undelivered!: number;

  /** How many rows are in state 0 or 1: the offline messages of the user. */
  @Column({ type: 'bigint' })
  kept!: number;

  /** How many rows are in state 2. */
  @Column({ type: 'bigint' })
  history!: number;
}
