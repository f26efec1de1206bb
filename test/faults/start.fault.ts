import { join } from 'node:path';
import { createConnection } from 'mysql2/promise';
import { aBootstrapApp } from '../factories/app.factory.js';
import { registrations } from '../factories/user.factory.js';
import { runCli, ServiceProcess } from '../support/service-process.js';
import { createDatabase, type TestDatabase } from '../support/start-app.js';

describe('node dist/main.js', () => {
  let database: TestDatabase;
  let services: ServiceProcess[] = [];

  afterAll(() => ServiceProcess.killAll());
  afterEach(async () => {
    await Promise.all(services.map((service) => service.kill()));
    services = [];
    await database.drop();
  });

  it('starts five times at once on one empty MariaDB: one schema, one demo app, all ready', async () => {
    database = await createDatabase('mariadb');
    services = await Promise.all(Array.from({ length: 5 }, () => ServiceProcess.start({ DATABASE_URL: database.url })));
    for (const { url } of services) expect((await fetch(`${url}/health/ready`)).status).toBe(200);
    const connection = await createConnection(database.url);
    try {
      const [apps] = await connection.query('SELECT org, name FROM apps');
      expect(apps).toEqual([{ org: 'demo', name: 'demo' }]);
      const [migrations] = await connection.query('SELECT name, COUNT(*) AS times FROM migrations GROUP BY name');
      expect(migrations).not.toEqual([]);
      for (const { times } of migrations as { times: number }[]) expect(times).toBe(1);
    } finally {
      await connection.end();
    }
  }, 120_000);

  it('starts while others bring the same empty SQLite file up to date: one schema, one demo app', async () => {
    database = await createDatabase('sqlite');
    const env = { DATABASE_URL: database.url };
    const [service, ...said] = await Promise.all([
      ServiceProcess.start(env),
      ...Array.from({ length: 3 }, () => runCli(['migrate'], env)),
    ]);
    services = [service];
    expect(said).toEqual(Array(3).fill('the database is up to date'));
    expect((await fetch(`${service.url}/health/ready`)).status).toBe(200);
    expect(JSON.parse(await runCli(['app', 'list'], env))).toMatchObject({ app: 'demo/demo' });
  }, 120_000);

  it('never keeps its event loop for 50 ms while batches of sixty are hashed at the full cost', async () => {
    database = await createDatabase('sqlite');
    const app = aBootstrapApp();
    const service = await ServiceProcess.start(
      // One core stays with the event loop, so that what is measured is waiting for work and not for a processor.
      { DATABASE_URL: database.url, BOOTSTRAP_APPS: app.text, PASSWORD_CONCURRENCY: '1' },
      [join(import.meta.dirname, '../support/event-loop-delay.mjs')],
    );
    services = [service];
    const base = `${service.url}/${app.org}/${app.name}`;
    const credentials = { grant_type: 'client_credentials', client_id: app.appId, client_secret: app.certificate };
    const granted = await fetch(`${base}/token`, { method: 'POST', body: JSON.stringify(credentials) });
    const { access_token: token } = (await granted.json()) as { access_token: string };
    const register = async () => {
      const response = await fetch(`${base}/users`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}` },
        body: JSON.stringify(registrations(60)),
      });
      expect(response.status).toBe(200);
    };
    await register();
    // A machine that is busy with something else delays every process; work that blocks would do so every time.
    const longestMs: number[] = [];
    while (longestMs.length < 3) {
      await service.ask('SIGUSR2');
      await Promise.all([register(), register()]);
      longestMs.push(Number(await service.ask('SIGUSR2')));
      if ((longestMs.at(-1) as number) < 50) break;
    }
    expect(longestMs.at(-1)).toBeGreaterThan(0);
    expect(Math.min(...longestMs)).toBeLessThan(50);
  }, 120_000);
});
