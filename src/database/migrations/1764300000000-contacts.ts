import { type MigrationInterface, type QueryRunner, Table } from 'typeorm';
import { columnsFor } from './columns.js';

/** The lists of contacts, and who is on them. Each table only if missing; older versions know neither. */
export class Contacts1764300000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    const { text, whole } = columnsFor(runner);
    const appId = text('app_id', 36, { isPrimary: true });
    await runner.createTable(
      new Table({
        name: 'contact_lists',
        engine: 'InnoDB',
        withoutRowid: true,
        columns: [appId, text('user_uuid', 36, { isPrimary: true }), whole('list_id'), whole('contacts')],
      }),
      true,
    );
    await runner.createTable(
      new Table({
        name: 'contacts',
        engine: 'InnoDB',
        withoutRowid: true,
        columns: [
          appId,
          whole('list_id', { isPrimary: true }),
          whole('friend_list_id', { isPrimary: true }),
          text('friend_uuid', 36),
          whole('id'),
          text('remark', 255, { isNullable: true }),
        ],
        indices: [{ name: 'contacts_by_id', columnNames: ['app_id', 'list_id', 'id'] }],
      }),
      true,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of ['contacts', 'contact_lists']) await runner.dropTable(table, true);
  }
}
