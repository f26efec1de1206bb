import { type MigrationInterface, type QueryRunner, Table } from 'typeorm';
import { columnsFor } from './columns.js';

/**
 * Who has blocked whom, and whether a user has blocked anybody, so that a message to one who has not costs no look-up.
 * Older versions know neither. The column in SQL by hand: TypeORM copies a table of SQLite to add one, and this is large.
 */
export class Blocks1764300100000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    const { text, whole } = columnsFor(runner);
    await runner.createTable(
      new Table({
        name: 'user_blocks',
        engine: 'InnoDB',
        withoutRowid: true,
        columns: [
          text('app_id', 36, { isPrimary: true }),
          text('user_uuid', 36, { isPrimary: true }),
          text('blocked_uuid', 36, { isPrimary: true }),
          whole('id'),
        ],
        indices: [
          { name: 'user_blocks_by_id', columnNames: ['app_id', 'user_uuid', 'id'] },
          { name: 'user_blocks_by_blocked', columnNames: ['app_id', 'blocked_uuid', 'user_uuid'] },
        ],
      }),
      true,
    );
    if (!(await runner.hasColumn('users', 'has_blocks')))
      await runner.query('ALTER TABLE users ADD COLUMN has_blocks smallint NOT NULL DEFAULT 0');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropTable('user_blocks', true);
    await runner.query('ALTER TABLE users DROP COLUMN has_blocks');
  }
}
