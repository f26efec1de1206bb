import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The sender of each message in an inbox, so that making room does not need the messages themselves. Older versions
 * leave it out. Written in SQL because TypeORM copies an SQLite table to add a column, and this one is large.
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
