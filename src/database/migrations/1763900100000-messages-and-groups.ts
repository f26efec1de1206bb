import { type MigrationInterface, type QueryRunner, Table } from 'typeorm';
import { columnsFor } from './columns.js';

/**
 * Creates each table only if it is missing, as in the migration before. Rows refer to their owner by uuid, since names
 * are reused.
 */
export class MessagesAndGroups1763900100000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    const { text, longText, whole, small } = columnsFor(runner);
    const appId = text('app_id', 36, { isPrimary: true });
    await runner.createTable(
      new Table({
        name: 'messages',
        engine: 'InnoDB',
        withoutRowid: true,
        columns: [
          appId,
          whole('id', { isPrimary: true }),
          text('sender', 255),
          text('chat_type', 16),
          text('type', 16),
          longText('body'),
          longText('ext', { isNullable: true }),
          whole('created_at'),
        ],
      }),
      true,
    );
    await runner.createTable(
      new Table({
        name: 'inboxes',
        engine: 'InnoDB',
        withoutRowid: true,
        columns: [
          appId,
          text('user_uuid', 36, { isPrimary: true }),
          whole('last_seq'),
          whole('read_seq'),
          whole('undelivered'),
          whole('kept'),
          whole('history'),
        ],
      }),
      true,
    );
    await runner.createTable(
      new Table({
        name: 'inbox_messages',
        engine: 'InnoDB',
        withoutRowid: true,
        columns: [
          appId,
          text('user_uuid', 36, { isPrimary: true }),
          whole('seq', { isPrimary: true }),
          whole('id'),
          whole('message_id'),
          small('state'),
          small('offline'),
          small('own'),
          whole('created_at'),
        ],
        indices: [
          { name: 'inbox_messages_by_id', columnNames: ['app_id', 'id'], isUnique: true },
          { name: 'inbox_messages_by_message', columnNames: ['app_id', 'message_id'] },
        ],
      }),
      true,
    );
    await runner.createTable(
      new Table({
        name: 'chat_groups',
        engine: 'InnoDB',
        withoutRowid: true,
        columns: [
          appId,
          whole('id', { isPrimary: true }),
          text('kind', 8),
          text('owner_uuid', 36),
          text('name', 255),
          text('description', 1024),
          text('custom', 4096),
          small('is_public'),
          small('members_only'),
          small('allow_invites'),
          whole('members_most'),
          whole('members'),
          whole('created_at'),
          whole('modified_at'),
        ],
        indices: [{ name: 'chat_groups_by_owner', columnNames: ['app_id', 'owner_uuid'] }],
      }),
      true,
    );
    await runner.createTable(
      new Table({
        name: 'group_members',
        engine: 'InnoDB',
        withoutRowid: true,
        columns: [
          appId,
          whole('group_id', { isPrimary: true }),
          text('user_uuid', 36, { isPrimary: true }),
          text('kind', 8),
          whole('joined_at'),
        ],
        indices: [{ name: 'group_members_by_user', columnNames: ['app_id', 'user_uuid', 'kind', 'group_id'] }],
      }),
      true,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of ['group_members', 'chat_groups', 'inbox_messages', 'inboxes', 'messages'])
      await runner.dropTable(table, true);
  }
}
