import { type MigrationInterface, type QueryRunner, Table } from 'typeorm';
import { columnsFor } from './columns.js';

/** Which process draws which part of the ids, and until when. */
export class IdNodes1764100000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    const { text, whole, small } = columnsFor(runner);
    await runner.createTable(
      new Table({
        name: 'id_nodes',
        engine: 'InnoDB',
        withoutRowid: true,
        columns: [small('node', { isPrimary: true }), text('holder', 36), whole('reserved_until')],
      }),
      true,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropTable('id_nodes', true);
  }
}
