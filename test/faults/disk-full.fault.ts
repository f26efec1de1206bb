import type BetterSqlite3 from 'better-sqlite3';
import { DataSource } from 'typeorm';
import { aUsername } from '../factories/user.factory.js';
import { agoraErrors, expectError } from '../support/agora-answers.js';
import { inTurns } from '../support/cluster.js';
import { eventually } from '../support/message-client.js';
import { rowsOf } from '../support/rows.js';
import { type RunningApp, startApp } from '../support/start-app.js';

describe('the service when its SQLite file cannot grow', () => {
  let running: RunningApp;
  let sqlite: BetterSqlite3.Database;

  beforeAll(async () => {
    running = await startApp();
    const { driver } = running.nest.get(DataSource);
    ({ databaseConnection: sqlite } = driver as unknown as { databaseConnection: BetterSqlite3.Database });
  });
  afterAll(() => running.stop());

  it('503 for writes, reads continue, nothing acknowledged is lost, and writes work when there is room again', async () => {
    const acked: string[] = [];
    const register = async () => {
      const username = aUsername();
      const response = await running.call('post', '/users', { body: { username, password: 'p' } });
      if (response.status === 200) acked.push(username);
      return response;
    };
    await register();
    // SQLite reacts as on a full disk (SQLITE_FULL) when it needs more pages than this.
    const pages = sqlite.pragma('page_count', { simple: true }) as number;
    sqlite.pragma(`max_page_count = ${pages + 4}`);
    const answers = await inTurns(Array.from({ length: 600 }), 20, register);
    const refused = answers.filter(({ status }) => status !== 200);
    console.log(`full: ${acked.length} registrations before it, ${refused.length} refused`);
    expect(refused.length).toBeGreaterThan(0);
    for (const response of refused) {
      expectError(response, agoraErrors.unavailable);
      expect(response.headers['retry-after']).toBe('1');
    }
    expect((await running.call('get', `/users/${acked[0]}`)).status).toBe(200);
    expect((await running.call('get', '//health/ready')).status).toBe(200);

    sqlite.pragma('max_page_count = 1000000');
    for (let time = 0; time < 50; time += 1) expect((await register()).status).toBe(200);
    const present = await rowsOf<{ username: string }>(running.database.url, 'SELECT username FROM users');
    expect(present.map(({ username }) => username).sort()).toEqual([...acked].sort());
    expect(sqlite.pragma('integrity_check', { simple: true })).toBe('ok');
  });

  it('is not ready while its file is not writable, and is ready again when it is', async () => {
    const ready = async () => {
      const { status, body } = await running.call('get', '//health/ready');
      return [status, (body as { database: string }).database];
    };
    // A write fails as with a file that this process may only read (SQLITE_READONLY).
    sqlite.pragma('query_only = ON');
    await eventually(async () => expect(await ready()).toEqual([503, 'refuses writes']));
    sqlite.pragma('query_only = OFF');
    await eventually(async () => expect(await ready()).toEqual([200, 'up']));
  });
});
