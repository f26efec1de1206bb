import { Column, Entity, PrimaryColumn } from 'typeorm';

/** The changes to users in one transaction, kept for about a minute. */
@Entity('user_changes', { withoutRowid: true })
export class UserChangeRow {
  @PrimaryColumn({ type: 'varchar', length: 36 })
  app_id!: string;

  /** Random: commits become visible in an order that no clock knows. */
  @PrimaryColumn({ type: 'varchar', length: 22 })
  id!: string;

  /** JSON: each user's uuid with the last number of its inbox, or null if the user's own row changed. */
  @Column({ type: 'text' })
  users!: string;
}
