import { aUsername } from '../factories/user.factory.js';
import { agoraErrors, expectError } from '../support/agora-answers.js';
import { retryTimingTests } from '../support/form.js';
import { type Method, type RunningApp, startApp } from '../support/start-app.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { createDatabase, type TestDatabase } from '../support/test-database.js';

retryTimingTests();

const calls: [Method, string, unknown][] = [
  ['get', '/users', undefined],
  ['get', '/users/someone', undefined],
  ['post', '/users', { username: 'late', password: 'p' }],
  ['put', '/users/someone', { nickname: 'n' }],
  ['put', '/users/someone/password', { newpassword: 'n' }],
  ['post', '/users/someone/deactivate', undefined],
  ['delete', '/users/someone', undefined],
  ['delete', '/users', undefined],
  ['post', '/token', { grant_type: 'password', username: 'someone', password: 'secret' }],
];

describe('the service without its MariaDB', () => {
  let server: TestDatabase;
  let proxy: TcpProxy;
  let running: RunningApp;

  beforeAll(async () => {
    server = await createDatabase('mariadb');
    proxy = await TcpProxy.to(server.url);
    const database = { url: proxy.through(server.url), drop: () => server.drop() };
    running = await startApp({
      database,
      env: { DATABASE_STATEMENT_TIMEOUT_MS: '1000', DATABASE_ACQUIRE_TIMEOUT_MS: '500' },
    });
    await running.register('someone');
  });
  afterAll(async () => {
    proxy.heal();
    await running.stop();
    await proxy.close();
    await server.drop();
  });
  beforeEach(async () => {
    // The app is cached for a second; within that time every route gets as far as its own query.
    await running.call('get', '/users');
  });
  afterEach(() => proxy.heal());

  const expectUnavailable = async (withinMs: number): Promise<void> => {
    const slowest = { ms: 0 };
    await Promise.all(
      calls.map(async ([method, path, body]) => {
        const startedAt = performance.now();
        const response = await running.call(method, path, { body });
        slowest.ms = Math.max(slowest.ms, performance.now() - startedAt);
        expectError(response, agoraErrors.unavailable);
        expect(response.headers['retry-after']).toBe('1');
      }),
    );
    expect(slowest.ms).toBeLessThan(withinMs);
  };
  const expectWorking = async (): Promise<void> => {
    for (let time = 0; time < 20; time += 1) {
      const user = await running.register(aUsername());
      expect((await running.call('get', `/users/${user.username}`)).body.entities).toEqual([user]);
    }
    expect((await running.call('get', '//health/ready')).status).toBe(200);
  };

  it('503 with Retry-After at once while it is down, and as before when it is back', async () => {
    proxy.refuse();
    await expectUnavailable(1_000);
    expect((await running.call('get', '//health/ready')).body).toMatchObject({
      status: 'unavailable',
      database: 'down',
    });
    expect((await running.call('get', '//health/live')).status).toBe(200);
    proxy.heal();
    await expectWorking();
  });

  it('503 with Retry-After within the timeouts while it is a black hole, and as before when it is back', async () => {
    await Promise.all(Array.from({ length: 30 }, () => running.call('get', '/users').then(({ status }) => status)));
    proxy.hold();
    await expectUnavailable(5_000);
    await expectUnavailable(5_000);
    proxy.heal();
    await expectWorking();
  });

  it('503 or 200, and nothing else, while connections are cut under load', async () => {
    const statuses = new Set<number>();
    const load = Array.from({ length: 10 }, async () => {
      for (let time = 0; time < 30; time += 1)
        statuses.add((await running.call('post', '/users', { body: { username: aUsername(), password: 'p' } })).status);
    });
    let busy = true;
    const done = Promise.all(load).then(() => (busy = false));
    while (busy) {
      proxy.cut();
      await running.call('get', '//health/live');
    }
    await done;
    expect([...statuses].filter((status) => status !== 200 && status !== 503)).toEqual([]);
    await expectWorking();
  });

  it('503 even if the app itself is not cached yet', async () => {
    proxy.refuse();
    expectError(await running.call('get', '//some/other/users'), agoraErrors.unavailable);
    proxy.heal();
    expect((await running.call('get', '//some/other/users')).status).toBe(404);
  });
});
