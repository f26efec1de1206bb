import { type MigrationInterface, type QueryRunner, Table } from 'typeorm';
import { columnsFor } from './columns.js';

/**
 * What users publish of their presence, and who wants to be told of it. Older versions neither read nor write them; of a user
 * whom one of those deletes they stay behind, out of reach, subscriptions until they expire.
 */
export class PresenceSubscriptions1764330000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    const { text, longText, whole } = columnsFor(runner);
    await runner.createTable(
      new Table({
        name: 'presence_states',
        engine: 'InnoDB',
        withoutRowid: true,
        columns: [
          text('app_id', 36, { isPrimary: true }),
          text('user_uuid', 36, { isPrimary: true }),
          longText('statuses'),
          longText('ext'),
          whole('last_online_at'),
          whole('watchers'),
        ],
      }),
      true,
    );
    await runner.createTable(
      new Table({
        name: 'presence_subscriptions',
        engine: 'InnoDB',
        withoutRowid: true,
        columns: [
          text('app_id', 36, { isPrimary: true }),
          text('subscriber_uuid', 36, { isPrimary: true }),
          text('target_uuid', 36, { isPrimary: true }),
          whole('expires_at'),
        ],
        indices: [
          { name: 'presence_subscriptions_by_target', columnNames: ['app_id', 'target_uuid', 'subscriber_uuid'] },
          { name: 'presence_subscriptions_by_expiry', columnNames: ['app_id', 'expires_at'] },
        ],
      }),
      true,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of ['presence_subscriptions', 'presence_states']) await runner.dropTable(table, true);
  }
}
