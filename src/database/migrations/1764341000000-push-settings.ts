import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What a user has set for pushes, null for nearly all. In SQL by hand: TypeORM copies a table of SQLite to add a column,
 * and this one is large.
 */
export class PushSettings1764341000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    if (await runner.hasColumn('users', 'push_settings')) return;
    const exact = runner.dataSource.options.type === 'mysql' ? ' CHARACTER SET utf8mb4 COLLATE utf8mb4_bin' : '';
    await runner.query(`ALTER TABLE users ADD COLUMN push_settings varchar(255)${exact}`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE users DROP COLUMN push_settings');
  }
}
