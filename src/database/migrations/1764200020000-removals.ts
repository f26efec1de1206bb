import { type MigrationInterface, type QueryRunner, Table } from 'typeorm';
import { columnsFor } from './columns.js';

/** What is deleted, and of which rows are left. Older versions neither write it nor look at it. */
export class Removals1764200020000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    const { text, whole } = columnsFor(runner);
    await runner.createTable(
      new Table({
        name: 'removals',
        engine: 'InnoDB',
        withoutRowid: true,
        columns: [
          text('app_id', 36, { isPrimary: true }),
          text('kind', 8, { isPrimary: true }),
          text('subject', 36, { isPrimary: true }),
          whole('portions'),
        ],
      }),
      true,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropTable('removals', true);
  }
}
