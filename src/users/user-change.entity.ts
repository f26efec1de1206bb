import { Column, Entity, PrimaryColumn } from 'typeorm';

/** What one transaction changed of users, kept for about a minute. */
@Entity('user_changes', { withoutRowid: true })
export class UserChangeRow {
  @PrimaryColumn({ type: 'varchar', length: 36 })
  app_id!: string;

  /** Drawn at random: commits become visible in no order that any clock knows. */
  @PrimaryColumn({ type: 'varchar', length: 22 })
  id!: string;

  /** JSON: each user's uuid, with the last number of its inbox, or null where the user's own row changed. */
  @Column({ type: 'text' })
  users!: string;
}
