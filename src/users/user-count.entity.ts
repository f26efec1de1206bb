import { Column, Entity, PrimaryColumn } from 'typeorm';

/** How many users an app has, as the sum of its slots: concurrent registrations do not wait for one row. */
@Entity('user_counts', { withoutRowid: true })
export class UserCountRow {
  @PrimaryColumn({ type: 'varchar', length: 36 })
  app_id!: string;

  @PrimaryColumn({ type: 'smallint' })
  slot!: number;

  @Column({ type: 'bigint' })
  users!: number;
}
