import { type MigrationInterface, type QueryRunner, Table } from 'typeorm';
import { columnsFor } from './columns.js';

/** Recent changes of users, for the nodes that hold their sessions. */
export class UserChanges1763900500000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    const { text, longText } = columnsFor(runner);
    await runner.createTable(
      new Table({
        name: 'user_changes',
        engine: 'InnoDB',
        withoutRowid: true,
        columns: [text('app_id', 36, { isPrimary: true }), text('id', 22, { isPrimary: true }), longText('users')],
      }),
      true,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropTable('user_changes', true);
  }
}
