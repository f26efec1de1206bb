import { randomUUID } from 'node:crypto';
import { Agent } from 'node:http';
import { AppsService } from '../../src/apps/apps.service.js';
import { Database } from '../../src/database/database.js';
import { OfflineMessagesService } from '../../src/offline-messages/offline-messages.service.js';
import { RemovalsService } from '../../src/removals/removals.service.js';
import { UserChangesService } from '../../src/users/user-changes.service.js';
import { UsersService } from '../../src/users/users.service.js';
import { aBootstrapApp } from '../factories/app.factory.js';
import { FixedClock } from '../support/fixed-clock.js';
import { MessageClient } from '../support/message-client.js';
import { rawCall } from '../support/raw-call.js';
import { guardedRoutes } from '../support/route-access.js';
import { callsOf } from '../support/route-calls.js';
import { type RunningApp, startApp } from '../support/start-app.js';
import { StatementLog } from '../support/statement-log.js';
import { judge } from '../support/statement-rules.js';
import { Tenant } from '../support/tenant.js';
import { tablesOf } from '../support/tenant-rows.js';
import { createDatabase, type TestDatabase } from '../support/test-database.js';

/** Other names of routes that are there under another prefix as well. */
const sameHandler = /^HEAD| \/app-id\/| \/api\/v2\/(?!(sdk|rest)\/)/;
const dayMs = 24 * 60 * 60 * 1_000;

describe.each(['sqlite', 'mariadb'] as const)('every statement, on %s', (engine) => {
  const agent = new Agent({ keepAlive: true });
  const clock = new FixedClock(Date.now());
  let schema: TestDatabase;
  let log: StatementLog;
  let running: RunningApp;
  let started: number;

  beforeAll(async () => {
    schema = await createDatabase(engine);
    log = new StatementLog();
    running = await startApp({ database: schema, clock });
    started = log.statements.length;
  });
  afterAll(async () => {
    agent.destroy();
    await running.stop();
    log.stop();
    await schema.drop();
  });

  async function aTenant(): Promise<Tenant> {
    const credentials = aBootstrapApp();
    const apps = running.nest.get(AppsService);
    let app = await apps.create({ ...credentials });
    // With room for few messages, so that the oldest have to go.
    for (const [key, value] of [
      ['rate_profile', 'off'],
      ['offline_messages_per_user', '2'],
    ] as const)
      app = await apps.set(app, key, value);
    return Tenant.build(running.url, credentials);
  }

  /** All that a session can do. */
  async function useGateway(tenant: Tenant): Promise<void> {
    const { username, other } = tenant.names;
    const url = `${running.url.replace('http', 'ws')}${tenant.path}/ws`;
    const session = await MessageClient.connect(url, tenant.userJwt);
    for (let time = 0; time < 4; time += 1) session.send({ type: 'send', to: username, body: { time } });
    session.send({ type: 'send', to: other, body: {} });
    await session.take('sent', 5);
    session.send({ type: 'read', id: (await session.take('message', 5)).at(-1)?.['id'] as string });
    await session.settle();
    await session.close();
  }

  async function useRoutes(tenant: Tenant): Promise<void> {
    for (const { route, access } of guardedRoutes(running).filter((one) => !sameHandler.test(one.route)))
      for (const { method, path, body, headers: more } of callsOf(route, tenant.credentials, tenant.ids)) {
        const headers = { 'idempotency-key': randomUUID(), ...tenant.shown(access), ...more };
        const answer = await rawCall(running.url, method, path, { agent, body, headers });
        expect(answer.status).toBeLessThan(500);
      }
  }

  it('names its app, only that one, and has no word that an engine does not know', async () => {
    const users = running.nest.get(UsersService);
    // Two at a time: what is gathered into one statement or one transaction must still be of one app.
    const tenants = await Promise.all([aTenant(), aTenant()]);
    await Promise.all(tenants.map((tenant) => useGateway(tenant)));
    await Promise.all(tenants.map(({ application, ids }) => users.findAllByUuid(application, [ids.uuid])));
    const changes = running.nest.get(UserChangesService);
    for (const { application } of tenants) await changes.find(application, await changes.listIds(application));
    // Names that are taken are another way through an INSERT.
    await Promise.all(tenants.map((tenant) => useRoutes(tenant)));
    await Promise.all(tenants.map((tenant) => tenant.close()));
    const one = tenants[0];
    await one.call('POST', '/users', { username: 'late', password: 'word' });
    await one.call('POST', '/messages/users', { to: ['late'], type: 'txt', body: {} });
    clock.advance(8 * dayMs);
    expect(await running.nest.get(OfflineMessagesService).expireDue()).toBeGreaterThan(0);
    // With more than the transaction of a deletion takes along.
    const late = await users.get(one.application, 'late');
    const line = { app_id: one.application, user_uuid: late.uuid, activated: 1, at: 1, actor: 'a', reason: null };
    const lines = Array.from({ length: 400 }, (_none, id) => ({ ...line, id }));
    await running.nest
      .get(Database)
      .write((transaction) => transaction.insert('user_activations', Object.keys(lines[0] as object), lines));
    await users.delete(one.application, 'late');
    expect(await running.nest.get(RemovalsService).finish({ all: true })).toBe(1);
    await changes.clearDue();

    const tables = await tablesOf(running.nest.get(Database));
    const apps = await running.nest.get(AppsService).list();
    const tenantTables = new Set(tables.flatMap(({ name, ofApps }) => (ofApps ? name : [])));
    const verdict = judge(log.statements.slice(started), new Set(apps.map(({ id }) => id)), tenantTables);
    console.log(`${engine}: ${verdict.checked} statements on rows of apps, ${verdict.texts.size} different ones`);
    expect(verdict.problems).toEqual([]);
    // The log has seen it all.
    const uses = [...tenantTables].flatMap((table) => ['SELECT', 'INSERT'].map((verb) => `${verb} ${table}`));
    expect(uses.filter((use) => !verdict.uses.has(use))).toEqual([]);
    expect(verdict.texts.size).toBeGreaterThan(50);
  }, 60_000);

  it('that makes the schema has no word that an engine does not know either', () => {
    const start = log.statements.slice(0, started).map(({ sql }) => sql);
    expect(start.filter((sql) => /^CREATE TABLE/.test(sql)).length).toBeGreaterThan(10);
    const word = /AUTO_?INCREMENT|FOREIGN|REFERENCES|TRIGGER|GET_LOCK|ENUM|TIMESTAMP|IGNORE|REPLACE INTO|SKIP LOCKED/i;
    // TypeORM's own table of migrations counts its rows by itself.
    expect(start.filter((sql) => word.test(sql) && !/migrations/.test(sql))).toEqual([]);
  });
});

describe('the rules for statements', () => {
  const [app, other] = ['app-1', 'app-2'];
  const problemsOf = (...statements: [string, ...unknown[]][]) => {
    const connection = {};
    const log = statements.map(([sql, ...values]) => ({ sql, values, connection }));
    return judge(log, new Set([app, other]), new Set(['users', 'messages'])).problems.length;
  };

  it.each<[string, [string, ...unknown[]][]]>([
    ['no app in a condition', [['SELECT id FROM users WHERE username = ?', 'a']]],
    ['an app that is not bound', [["SELECT id FROM users WHERE app_id = 'app-1'"]]],
    ['an app that does not exist', [['SELECT id FROM users WHERE app_id = ?', 'app-3']]],
    ['a name for the app', [['SELECT id FROM users WHERE username = ? AND app_id = ?', app, 'a']]],
    ['an app in one half of a union', [['SELECT id FROM users WHERE app_id = ? UNION ALL SELECT id FROM users', app]]],
    [
      'an app in one of two tables',
      [['SELECT u.id FROM users u JOIN messages m ON m.id = u.id WHERE u.app_id = ?', app]],
    ],
    ['an app that is not the first column', [['INSERT INTO users (username, app_id) VALUES (?, ?)', 'a', app]]],
    ['two apps in one INSERT', [['INSERT INTO users (app_id, id) VALUES (?, ?), (?, ?)', app, 1, other, 2]]],
    ['a DELETE of all', [['DELETE FROM users']]],
    ['an UPDATE of all', [['UPDATE users SET nickname = ?', 'a']]],
    ['a table that nobody knows', [['SELECT id FROM others WHERE app_id = ?', app]]],
    ['apps by another column', [['SELECT * FROM apps WHERE settings = ?', 'a']]],
    ['COUNT(*)', [['SELECT COUNT(*) FROM users WHERE app_id = ?', app]]],
    ['OFFSET', [['SELECT id FROM messages WHERE app_id = ? LIMIT ? OFFSET ?', app, 1, 1]]],
    ['INSERT IGNORE', [['INSERT IGNORE INTO users (app_id, id) VALUES (?, ?)', app, 1]]],
    ['GET_LOCK', [['SELECT GET_LOCK(?, 1)', 'a']]],
    [
      'two apps in one transaction',
      [
        ['START TRANSACTION'],
        ['DELETE FROM users WHERE app_id = ?', app],
        ['DELETE FROM users WHERE app_id = ?', other],
      ],
    ],
  ])('find %s', (_what, statements) => {
    expect(problemsOf(...statements)).toBeGreaterThan(0);
  });

  it('find nothing in what is right', () => {
    expect(
      problemsOf(
        ['START TRANSACTION'],
        [
          'INSERT INTO users (app_id, id) VALUES (?, ?), (?, ?) ON DUPLICATE KEY UPDATE app_id = users.app_id',
          app,
          1,
          app,
          2,
        ],
        ['SELECT id FROM users WHERE app_id = ? AND id IN (SELECT value FROM json_each(?))', app, '[]'],
        ['COMMIT'],
        ['SELECT u.id FROM users u JOIN messages m ON m.app_id = u.app_id WHERE u.app_id = ?', other],
      ),
    ).toBe(0);
  });
});
