import { Column, Entity, PrimaryColumn } from 'typeorm';

/** An app's number of users as the sum of its slots, so that concurrent registrations don't wait for one row. */
@Entity('user_counts', { withoutRowid: true })
export class UserCountRow {
  @PrimaryColumn({ type: 'varchar', length: 36 })
  app_id!: string;

  @PrimaryColumn({ type: 'smallint' })
  slot!: number;

  @Column({ type: 'bigint' })
  users!: number;
}
