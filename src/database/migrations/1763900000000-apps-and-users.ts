import { type MigrationInterface, type QueryRunner, Table } from 'typeorm';
import { columnsFor } from './columns.js';

/**
 * Creates each table only if it is missing: MySQL commits every DDL statement on its own, so a migration that was
 * killed halfway must be able to run again.
 */
export class AppsAndUsers1763900000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    const { text, longText, whole, small } = columnsFor(runner);
    await runner.createTable(
      new Table({
        name: 'apps',
        engine: 'InnoDB',
        columns: [
          text('id', 36, { isPrimary: true }),
          text('org', 64),
          text('name', 64),
          text('public_id', 32),
          text('certificate', 32),
          text('previous_certificate', 32, { isNullable: true }),
          text('alias', 64, { isNullable: true }),
          small('disabled'),
          longText('settings'),
          whole('created_at'),
        ],
        indices: [
          { name: 'apps_by_name', columnNames: ['org', 'name'], isUnique: true },
          { name: 'apps_by_public_id', columnNames: ['public_id'], isUnique: true },
          { name: 'apps_by_alias', columnNames: ['alias'], isUnique: true },
        ],
      }),
      true,
    );
    await runner.createTable(
      new Table({
        name: 'users',
        engine: 'InnoDB',
        withoutRowid: true,
        columns: [
          text('app_id', 36, { isPrimary: true }),
          text('username', 255, { isPrimary: true }),
          text('uuid', 36),
          whole('id'),
          text('nickname', 255, { isNullable: true }),
          small('activated'),
          whole('created_at'),
          whole('modified_at'),
          text('password_hash', 255, { isNullable: true }),
          whole('token_epoch'),
        ],
        indices: [
          { name: 'users_by_uuid', columnNames: ['app_id', 'uuid'], isUnique: true },
          { name: 'users_by_id', columnNames: ['app_id', 'id'], isUnique: true },
        ],
      }),
      true,
    );
    await runner.createTable(
      new Table({
        name: 'user_activations',
        engine: 'InnoDB',
        withoutRowid: true,
        columns: [
          text('app_id', 36, { isPrimary: true }),
          text('user_uuid', 36, { isPrimary: true }),
          whole('id', { isPrimary: true }),
          small('activated'),
          whole('at'),
          text('actor', 255),
          text('reason', 1000, { isNullable: true }),
        ],
      }),
      true,
    );
    await runner.createTable(
      new Table({
        name: 'user_counts',
        engine: 'InnoDB',
        withoutRowid: true,
        columns: [text('app_id', 36, { isPrimary: true }), small('slot', { isPrimary: true }), whole('users')],
      }),
      true,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of ['user_counts', 'user_activations', 'users', 'apps']) await runner.dropTable(table, true);
  }
}
