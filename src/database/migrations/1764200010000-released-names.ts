import { type MigrationInterface, type QueryRunner, Table } from 'typeorm';
import { columnsFor } from './columns.js';

/** When names became free because their users were deleted. Older versions neither read nor write it. */
export class ReleasedNames1764200010000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    const { text, whole } = columnsFor(runner);
    await runner.createTable(
      new Table({
        name: 'released_names',
        engine: 'InnoDB',
        withoutRowid: true,
        columns: [
          text('app_id', 36, { isPrimary: true }),
          text('id', 22, { isPrimary: true }),
          text('name_hash', 43),
          whole('released_at'),
          whole('expires_at'),
        ],
        indices: [
          { name: 'released_names_by_name', columnNames: ['app_id', 'name_hash'] },
          { name: 'released_names_by_expiry', columnNames: ['app_id', 'expires_at'] },
        ],
      }),
      true,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropTable('released_names', true);
  }
}
