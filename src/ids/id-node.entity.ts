import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A part of the ids, and the process that draws from it. */
@Entity('id_nodes')
export class IdNodeRow {
  @PrimaryColumn({ type: 'smallint' })
  node!: number;

  /** A random name of the process; empty if it returned the number. */
  @Column({ type: 'varchar', length: 36 })
  holder!: string;

  /** Unix milliseconds: ids of this time and later have not been given out yet. */
  @Column({ type: 'bigint' })
  reserved_until!: number;
}
