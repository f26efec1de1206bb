import { Database, type SqlValue } from '../database/database.js';
import { RemovalsService } from '../removals/removals.service.js';
import { type RunningApp, startApp } from '../../test/support/start-app.js';
import { type Statement, StatementLog } from '../../test/support/statement-log.js';
import { PresenceSubscriptionsService } from './presence-subscriptions.service.js';
import { PresenceNotices } from './presence-notices.js';

const others = 3_000;
const tables = /\b(presence_subscriptions|presence_states|user_attributes)\b/;
/** What one statement may look at, by the estimate of a server that counts roughly. */
const maxRows = 4_000;

describe('presence subscriptions and user attributes in an app that has many', () => {
  let running: RunningApp;
  let database: Database;
  let log: StatementLog;

  beforeAll(async () => {
    log = new StatementLog();
    running = await startApp();
    database = running.nest.get(Database);
    for (const name of ['ann', 'bob', 'gone']) await running.register(name);
    const app_id = running.app.id;
    for (let start = 0; start < others; start += 500) {
      const uuids = Array.from({ length: 500 }, (_none, index) => `other-${start + index}`);
      await insert(
        'presence_states',
        uuids.map((user_uuid) => ({
          ...{ app_id, user_uuid, statuses: '{}', ext: '', last_online_at: 0, watchers: 1 },
        })),
      );
      await insert(
        'presence_subscriptions',
        uuids.map((subscriber_uuid) => ({
          ...{ app_id, subscriber_uuid, target_uuid: 'somebody', expires_at: Number.MAX_SAFE_INTEGER },
        })),
      );
      await insert(
        'user_attributes',
        uuids.map((user_uuid) => ({
          ...{ app_id, user_uuid, attributes: '{}', bytes: 0, modified_at: 0 },
        })),
      );
    }
  }, 60_000);
  afterAll(async () => {
    log.stop();
    await running.stop();
  });

  const insert = (table: string, rows: Record<string, SqlValue>[]) =>
    database.write((transaction) => transaction.insert(table, Object.keys(rows[0] as object), rows));

  async function stepsOf({ sql, values }: Statement): Promise<string[]> {
    if (database.engine === 'sqlite') {
      const plan = await database.read<{ detail: string }>(`EXPLAIN QUERY PLAN ${sql}`, values as SqlValue[]);
      return plan
        .map(({ detail }) => detail)
        .filter((detail) => !/json_each|LIST SUBQUERY|REUSE|TEMP B-TREE/.test(detail));
    }
    const plan = await database.read<Record<string, unknown>>(`EXPLAIN ${sql}`, values as SqlValue[]);
    return plan.map(
      ({ table, type, key, rows, Extra: extra }) =>
        `${String(table)} ${String(type)} ${String(key)} ${String(rows)} ${String(extra)}`,
    );
  }

  /** A step reads a few rows by more than the app alone. */
  function isGood(step: string): boolean {
    if (database.engine === 'sqlite') return /^SEARCH .*\(app_id=\? AND (\w*uuid[=>]|expires_at<)/.test(step);
    const [, table, type, key, rows] = /^(\S+) (\S+) (\S+) (\S+)/.exec(step) ?? [];
    // A row that is not there, or a condition that nothing fulfils.
    if (table === 'null' || table === 'undefined') return true;
    return key !== 'null' && !['ALL', 'index'].includes(type as string) && (rows === 'null' || Number(rows) <= maxRows);
  }

  test('every statement finds its rows by an index', async () => {
    const call = (method: 'get' | 'post' | 'put' | 'delete', path: string, body?: unknown) =>
      running.call(method, path, { body }).expect(200);
    const usernames = ['bob', 'gone'];
    await call('post', '/users/ann/presence/web/1', { ext: 'x' });
    await call('post', '/users/ann/presence/web/2', { ext: 'y' });
    await call('post', '/users/ann/presence/60', { usernames });
    await call('post', '/users/ann/presence/60', { usernames });
    await call('post', '/users/gone/presence/60', { usernames: ['bob'] });
    await call('post', '/users/ann/presence', { usernames });
    await call('get', '/users/ann/presence/sublist');
    const { uuid } = (await call('get', '/users/bob')).body.entities[0] as { uuid: string };
    running.nest.get(PresenceNotices).changed(running.app.id, { username: 'bob', uuid });
    await running.nest.get(PresenceNotices).beforeApplicationShutdown();
    for (const form of ['nickname=a', 'nickname=b'])
      await running.call('put', '/metadata/user/gone').type('form').send(form).expect(200);
    await call('post', '/metadata/user/get', { targets: usernames });
    await call('delete', '/users/ann/presence', ['bob']);
    await database.write((transaction) =>
      transaction.run('UPDATE presence_subscriptions SET expires_at = 1 WHERE app_id = ? AND subscriber_uuid = ?', [
        ...[running.app.id, 'other-1'],
      ]),
    );
    expect(await running.nest.get(PresenceSubscriptionsService).pruneExpired()).toBe(1);
    await call('delete', '/users/gone');
    await running.nest.get(RemovalsService).finish({ all: true });
    const seen = new Map<string, Statement>();
    for (const statement of log.statements)
      if (tables.test(statement.sql) && /^(SELECT|UPDATE|DELETE)/.test(statement.sql))
        seen.set(statement.sql, statement);
    const bad: string[] = [];
    for (const statement of seen.values())
      for (const step of await stepsOf(statement)) if (!isGood(step)) bad.push(`${step}: ${statement.sql}`);
    expect(bad).toEqual([]);
    expect(seen.size).toBeGreaterThan(15);
  }, 30_000);
});
