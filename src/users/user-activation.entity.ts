import { Column, Entity, PrimaryColumn } from 'typeorm';

/** One ban or unban, kept as history: who, when, why. */
@Entity('user_activations', { withoutRowid: true })
export class UserActivationRow {
  @PrimaryColumn({ type: 'varchar', length: 36 })
  app_id!: string;

  @PrimaryColumn({ type: 'varchar', length: 36 })
  user_uuid!: string;

  @PrimaryColumn({ type: 'bigint' })
  id!: number;

  @Column({ type: 'smallint' })
  activated!: number;

  @Column({ type: 'bigint' })
  at!: number;

  @Column({ type: 'varchar', length: 255 })
  actor!: string;

  @Column({ type: 'varchar', length: 1000, nullable: true })
  reason!: string | null;
}
