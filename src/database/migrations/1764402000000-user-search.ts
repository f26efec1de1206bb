import { Logger } from '@nestjs/common';
import { type MigrationInterface, type QueryRunner, Table } from 'typeorm';
import { columnsFor } from './columns.js';

const rowsPerStep = 500;
const rowsPerReport = 100_000;

interface NamedUser {
  readonly username: string;
  readonly nickname: string | null;
  readonly nickname_key: string | null;
}

/**
 * What users are searched by: the folded beginning of the nickname, the time of registration, and when a user was last
 * seen; and the notes of the staff. In SQL by hand where the table is large: TypeORM copies a table of SQLite to add a
 * column.
 */
export class UserSearch1764402000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    const { text, longText, whole } = columnsFor(runner);
    const isMysql = runner.dataSource.options.type === 'mysql';
    if (!(await runner.hasColumn('users', 'nickname_key')))
      await runner.query(
        `ALTER TABLE users ADD COLUMN nickname_key varchar(64)` +
          (isMysql ? ' CHARACTER SET utf8mb4 COLLATE utf8mb4_bin' : ''),
      );
    await this.fillNicknameKeys(runner);
    const present = new Set((await runner.getTable('users'))?.indices.map(({ name }) => name));
    if (!present.has('users_by_creation'))
      await runner.query('CREATE INDEX users_by_creation ON users (app_id, created_at, id)');
    if (!present.has('users_by_nickname'))
      await runner.query(
        'CREATE INDEX users_by_nickname ON users (app_id, nickname_key, id)' +
          (isMysql ? '' : ' WHERE nickname_key IS NOT NULL'),
      );
    await runner.createTable(
      new Table({
        name: 'user_last_seen',
        engine: 'InnoDB',
        withoutRowid: true,
        columns: [text('app_id', 36, { isPrimary: true }), text('user_uuid', 36, { isPrimary: true }), whole('at')],
        indices: [{ name: 'user_last_seen_by_time', columnNames: ['app_id', 'at', 'user_uuid'] }],
      }),
      true,
    );
    await runner.createTable(
      new Table({
        name: 'user_notes',
        engine: 'InnoDB',
        withoutRowid: true,
        columns: [
          text('app_id', 36, { isPrimary: true }),
          text('user_uuid', 36, { isPrimary: true }),
          whole('id', { isPrimary: true }),
          whole('at'),
          text('author', 255),
          longText('text'),
        ],
      }),
      true,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropTable('user_notes', true);
    await runner.dropTable('user_last_seen', true);
    const on = runner.dataSource.options.type === 'mysql' ? ' ON users' : '';
    for (const index of ['users_by_nickname', 'users_by_creation']) await runner.query(`DROP INDEX ${index}${on}`);
    await runner.query('ALTER TABLE users DROP COLUMN nickname_key');
  }

  /** May run again: users whose key is right are only read. */
  private async fillNicknameKeys(runner: QueryRunner): Promise<void> {
    const logger = new Logger('Migration');
    let seen = 0;
    const apps = (await runner.query('SELECT id FROM apps')) as { id: string }[];
    for (const { id: appId } of apps)
      for (let after: string | undefined = ''; after !== undefined;) {
        const users = (await runner.query(
          'SELECT username, nickname, nickname_key FROM users WHERE app_id = ? AND username > ? ORDER BY username LIMIT ?',
          [appId, after, rowsPerStep],
        )) as NamedUser[];
        await this.setKeys(runner, appId, users);
        after = users.length === rowsPerStep ? users.at(-1)?.username : undefined;
        if (Math.floor((seen + users.length) / rowsPerReport) > Math.floor(seen / rowsPerReport))
          logger.log(`The nicknames of ${seen + users.length} users can be searched`);
        seen += users.length;
      }
  }

  private async setKeys(runner: QueryRunner, appId: string, users: readonly NamedUser[]): Promise<void> {
    const due = users
      .map(({ username, nickname, nickname_key: before }) => ({ username, before, key: keyOf(nickname) }))
      .filter(({ key, before }) => key !== before);
    if (due.length === 0) return;
    const cases = due.map(() => 'WHEN ? THEN ?').join(' ');
    await runner.query(
      `UPDATE users SET nickname_key = CASE username ${cases} END` +
        ` WHERE app_id = ? AND username IN (${due.map(() => '?').join(', ')})`,
      [...due.flatMap(({ username, key }) => [username, key]), appId, ...due.map(({ username }) => username)],
    );
  }
}

/** As `nicknameKey` of users was when this was written. */
function keyOf(nickname: string | null): string | null {
  const folded = (nickname ?? '').normalize('NFKD').toUpperCase().toLowerCase().replaceAll('ς', 'σ').normalize('NFKD');
  const plain = folded.replace(/[\s\p{Cc}]+/gu, ' ').trimStart();
  const key = [...plain].slice(0, 64).join('').trimEnd();
  return key === '' ? null : key;
}
