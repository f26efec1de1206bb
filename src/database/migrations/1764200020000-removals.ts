import { type MigrationInterface, type QueryRunner, Table } from 'typeorm';
import { columnsFor } from './columns.js';

/** Deleted users and groups that still have rows. Older versions neither read nor write it. */
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
