import { randomBytes } from 'node:crypto';
import { type MigrationInterface, type QueryRunner, Table, TableColumn } from 'typeorm';
import { columnsFor } from './columns.js';

/** What the Qiscus dialect adds: profiles, the secret that user tokens are derived from, and used nonces. */
export class Profiles1763900200000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    const { text, longText, whole } = columnsFor(runner);
    if (!(await runner.hasColumn('apps', 'token_secret')))
      await runner.addColumn('apps', new TableColumn(text('token_secret', 64, { default: "''" })));
    const apps = (await runner.query("SELECT id FROM apps WHERE token_secret = ''")) as { id: string }[];
    for (const { id } of apps)
      // An earlier run that was killed halfway may have set it, and a secret in use must not change.
      await runner.query("UPDATE apps SET token_secret = ? WHERE id = ? AND token_secret = ''", [
        randomBytes(32).toString('hex'),
        id,
      ]);
    await runner.createTable(
      new Table({
        name: 'user_profiles',
        engine: 'InnoDB',
        withoutRowid: true,
        columns: [
          text('app_id', 36, { isPrimary: true }),
          text('user_uuid', 36, { isPrimary: true }),
          text('user_id', 255),
          text('avatar_url', 2048, { isNullable: true }),
          longText('extras', { isNullable: true }),
          whole('token_version'),
          text('token_hash', 43),
        ],
        indices: [{ name: 'user_profiles_by_token', columnNames: ['app_id', 'token_hash'], isUnique: true }],
      }),
      true,
    );
    await runner.createTable(
      new Table({
        name: 'used_nonces',
        engine: 'InnoDB',
        withoutRowid: true,
        columns: [text('app_id', 36, { isPrimary: true }), text('nonce', 40, { isPrimary: true }), whole('expires_at')],
        indices: [{ name: 'used_nonces_by_expiry', columnNames: ['app_id', 'expires_at'] }],
      }),
      true,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of ['used_nonces', 'user_profiles']) await runner.dropTable(table, true);
    await runner.dropColumn('apps', 'token_secret');
  }
}
