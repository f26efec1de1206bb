import { type MigrationInterface, type QueryRunner, Table } from 'typeorm';
import { columnsFor } from './columns.js';

/**
 * Attributes of users, and their bytes in each app. Older versions neither read nor write them; of a user whom one of those
 * deletes they stay behind, out of reach.
 */
export class UserAttributes1764320000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    const { text, longText, whole, small } = columnsFor(runner);
    await runner.createTable(
      new Table({
        name: 'user_attributes',
        engine: 'InnoDB',
        withoutRowid: true,
        columns: [
          text('app_id', 36, { isPrimary: true }),
          text('user_uuid', 36, { isPrimary: true }),
          longText('attributes'),
          whole('bytes'),
          whole('modified_at'),
        ],
      }),
      true,
    );
    await runner.createTable(
      new Table({
        name: 'attribute_usage',
        engine: 'InnoDB',
        withoutRowid: true,
        columns: [text('app_id', 36, { isPrimary: true }), small('slot', { isPrimary: true }), whole('bytes')],
      }),
      true,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of ['attribute_usage', 'user_attributes']) await runner.dropTable(table, true);
  }
}
