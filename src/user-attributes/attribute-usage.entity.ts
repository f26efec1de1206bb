import { Column, Entity, PrimaryColumn } from 'typeorm';

/** The bytes of all attributes of an app, summed over its slots, so concurrent changes do not wait for one row. */
@Entity('attribute_usage', { withoutRowid: true })
export class AttributeUsageRow {
  @PrimaryColumn({ type: 'varchar', length: 36 })
  app_id!: string;

  @PrimaryColumn({ type: 'smallint' })
  slot!: number;

  @Column({ type: 'bigint' })
  bytes!: number;
}
