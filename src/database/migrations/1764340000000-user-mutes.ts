import { type MigrationInterface, type QueryRunner, Table } from 'typeorm';
import { columnsFor } from './columns.js';

/** Until when users may not send. */
export class UserMutes1764340000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    const { text, whole } = columnsFor(runner);
    await runner.createTable(
      new Table({
        name: 'user_mutes',
        engine: 'InnoDB',
        withoutRowid: true,
        columns: [
          text('app_id', 36, { isPrimary: true }),
          text('user_uuid', 36, { isPrimary: true }),
          ...['chat_until', 'groupchat_until', 'chatroom_until', 'expires_at'].map((name) => whole(name)),
        ],
        indices: [{ name: 'user_mutes_by_expiry', columnNames: ['app_id', 'expires_at'] }],
      }),
      true,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropTable('user_mutes', true);
  }
}
