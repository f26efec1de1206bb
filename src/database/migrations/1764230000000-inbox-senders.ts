import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Whose a message in an inbox is, so that room is made without a look at the messages themselves. Older versions leave
 * it out. In SQL by hand: TypeORM copies a table of SQLite to add a column, and this one is large.
 */
export class InboxSenders1764230000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    if (await runner.hasColumn('inbox_messages', 'sender')) return;
    const exact = runner.dataSource.options.type === 'mysql' ? ' CHARACTER SET utf8mb4 COLLATE utf8mb4_bin' : '';
    await runner.query(`ALTER TABLE inbox_messages ADD COLUMN sender varchar(255)${exact}`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE inbox_messages DROP COLUMN sender');
  }
}
