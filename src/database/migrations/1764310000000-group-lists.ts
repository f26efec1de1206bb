import { type MigrationInterface, type QueryRunner, Table, TableIndex } from 'typeorm';
import { columnsFor } from './columns.js';

const byKind = new TableIndex({ name: 'chat_groups_by_kind', columnNames: ['app_id', 'kind', 'id'] });

/**
 * Admins, blocked and muted users of groups, and announcements. Older versions neither write nor read them: rows of what
 * such a version deletes meanwhile are out of reach, as uuids and ids of groups are never used again. And an index for the
 * lists of groups and of rooms: an app with many of the one and few of the other read them all.
 */
export class GroupLists1764310000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    const { text, whole } = columnsFor(runner);
    await runner.createTable(
      new Table({
        name: 'group_list_entries',
        engine: 'InnoDB',
        withoutRowid: true,
        columns: [
          text('app_id', 36, { isPrimary: true }),
          whole('group_id', { isPrimary: true }),
          text('user_uuid', 36, { isPrimary: true }),
          text('list', 16, { isPrimary: true }),
          whole('expires_at'),
          whole('id'),
        ],
        indices: [
          {
            name: 'group_list_entries_by_end',
            columnNames: ['app_id', 'group_id', 'list', 'expires_at', 'id'],
          },
          { name: 'group_list_entries_by_user', columnNames: ['app_id', 'user_uuid', 'group_id'] },
        ],
      }),
      true,
    );
    const indexes = (await runner.getTable('chat_groups'))?.indices ?? [];
    if (!indexes.some(({ name }) => name === byKind.name)) await runner.createIndex('chat_groups', byKind);
    if (await runner.hasColumn('chat_groups', 'announcement')) return;
    // In SQL by hand: TypeORM copies a table of SQLite to add a column.
    const exact = runner.dataSource.options.type === 'mysql' ? ' CHARACTER SET utf8mb4 COLLATE utf8mb4_bin' : '';
    await runner.query(`ALTER TABLE chat_groups ADD COLUMN announcement varchar(512)${exact}`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropIndex('chat_groups', byKind);
    await runner.query('ALTER TABLE chat_groups DROP COLUMN announcement');
    await runner.dropTable('group_list_entries', true);
  }
}
