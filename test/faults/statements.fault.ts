import { AppsService } from '../../src/apps/apps.service.js';
import { Database } from '../../src/database/database.js';
import { sendEveryStatement } from '../support/every-statement.js';
import { FixedClock } from '../support/fixed-clock.js';
import { type RunningApp, startApp } from '../support/start-app.js';
import { StatementLog } from '../support/statement-log.js';
import { judge } from '../support/statement-rules.js';
import { tablesOf } from '../support/tenant-rows.js';
import { createDatabase, type TestDatabase } from '../support/test-database.js';

describe.each(['sqlite', 'mariadb'] as const)('every statement, on %s', (engine) => {
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
    await running.stop();
    log.stop();
    await schema.drop();
  });

  it('names its app, only that one, and uses no keyword that an engine lacks', async () => {
    await sendEveryStatement(running, clock);
    const tables = await tablesOf(running.nest.get(Database));
    const apps = await running.nest.get(AppsService).list();
    const tenantTables = new Set(tables.flatMap(({ name, ofApps }) => (ofApps ? name : [])));
    const verdict = judge(log.statements.slice(started), new Set(apps.map(({ id }) => id)), tenantTables);
    console.log(`${engine}: ${verdict.checked} statements on rows of apps, ${verdict.texts.size} different ones`);
    expect(verdict.problems).toEqual([]);
    // The log has seen all of it.
    const uses = [...tenantTables].flatMap((table) => ['SELECT', 'INSERT'].map((verb) => `${verb} ${table}`));
    expect(uses.filter((use) => !verdict.uses.has(use))).toEqual([]);
    expect(verdict.texts.size).toBeGreaterThan(50);
  }, 60_000);

  it('that creates the schema uses no SQL that an engine lacks, either', () => {
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
    ['an unknown table', [['SELECT id FROM others WHERE app_id = ?', app]]],
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

  it('accept valid statements', () => {
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
