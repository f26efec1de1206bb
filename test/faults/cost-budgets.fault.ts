import { setTimeout as sleep } from 'node:timers/promises';
import { aBootstrapApp } from '../factories/app.factory.js';
import { fillApp, roomIdOf, usernameOf } from '../support/fill-app.mjs';
import { longForm, runs, retryTimingTests } from '../support/form.js';
import { OpenLoad } from '../support/open-load.js';
import { percentile } from '../support/percentile.js';
import { removeLimits, ServiceProcess } from '../support/service-process.js';
import { createDatabase, type TestDatabase } from '../support/test-database.js';
import { tokenOf } from '../support/tokens.js';
import { type Watched, watchCalls } from '../support/watch-calls.js';

retryTimingTests();

const users = 99_000;
const inboxes = 48_000;
const attackMs = runs(1_000, 20_000);
/** An attacker's callers, each of which calls again after its answer. */
const attackers = 60;
/** Below that, twice as much is noise: the short form shares two processors with other suites and with the attack. */
const floorMs = longForm ? 25 : 150;
const maxHealthMs = longForm ? 100 : 300;

type Credentials = ReturnType<typeof aBootstrapApp>;

const manyNames = JSON.stringify({ user_ids: Array.from({ length: 500 }, (_none, index) => usernameOf(index)) });

interface Attack {
  readonly what: string;
  /** `:app` stands for the attacker's. */
  readonly path: string;
  readonly body?: string;
}

const rest = '/api/v2.1/rest';

/** Queries whose cost grows with the users of an app: routes and, for each, the most expensive arguments. */
const attacks: readonly Attack[] = [
  { what: 'pages in an order without an index', path: `${rest}/get_user_list?order_query=name&page=2400` },
  { what: 'a search that matches every user', path: '/api/v2/sdk/get_user_list?query=u&page=4900' },
  { what: 'the last page of users with unread messages', path: `${rest}/get_unread_users?page=480` },
  { what: 'a window without messages', path: `${rest}/get_unread_users?end_time=2001-01-01%2000:00:00` },
  { what: 'the unread messages of 500 users', path: `${rest}/get_user_unread_count`, body: manyNames },
  { what: '10,000 users on a page', path: `${rest}/get_user_list?show_all=true&page=5` },
  { what: 'a room of 5,000 members', path: `/:app/chatrooms/${roomIdOf(0)}` },
];

/** SQLite reads on the thread that serves everybody, so the short form tests it; the long form tests both. */
const engines = longForm ? (['sqlite', 'mariadb'] as const) : (['sqlite'] as const);

describe.each(engines)('beside an app that makes expensive calls, on %s', (engine) => {
  const attacker = aBootstrapApp();
  const other = aBootstrapApp();
  let database: TestDatabase;
  let service: ServiceProcess;

  beforeAll(async () => {
    database = await createDatabase(engine);
    const env = { DATABASE_URL: database.url, BOOTSTRAP_APPS: `${attacker.text},${other.text}`, LOG_LEVEL: 'fatal' };
    service = await ServiceProcess.start(env);
    await removeLimits(attacker, env);
    await removeLimits(other, env);
    const id = (await grant(service.url, attacker)).application;
    await fillApp(database.url, id, { users, inboxes, messages: 2, rooms: 1, members: 5_000 });
    await fetch(`${service.url}/${other.org}/${other.name}/users`, {
      method: 'POST',
      headers: { authorization: `Bearer ${tokenOf(other)}` },
      body: JSON.stringify({ username: 'somebody', password: 'p' }),
    });
  }, 180_000);
  afterAll(async () => {
    await service.stop();
    await database.drop();
  });

  it.each(attacks.map((attack) => [attack.what, attack] as const))(
    'another app is served as before, and health checks within 100 ms: %s',
    async (what, { path, body = '' }) => {
      const request = requestOf(attacker, path, body);
      await watch(service.url, other, sleep(200));
      const quiet = await watch(service.url, other, sleep(1_000));
      const attack = new OpenLoad(service.url, () => request, attackers);
      const during = await watch(service.url, other, attack.saturate(attackers, attackMs));
      await attack.close();
      const served = attack.answers.filter(({ status }) => status === 200);
      console.log(
        `${engine}, ${what}: ${served.length} of ${attack.answers.length} served; the other app ${during.calls.length} ` +
          `calls, p99 ${during.callP99.toFixed(1)} ms (quiet ${quiet.callP99.toFixed(1)}), ` +
          `health ${during.healthP99.toFixed(1)} ms (quiet ${quiet.healthP99.toFixed(1)})`,
      );
      expect(during.calls.filter((status) => status !== 200)).toEqual([]);
      expect(during.callP99).toBeLessThan(2 * Math.max(quiet.callP99, floorMs));
      expect(during.healthP99).toBeLessThan(maxHealthMs + quiet.healthP99);
      // The attacker is served too, and told when to retry if not.
      expect(served.length).toBeGreaterThan(0);
      for (const { status, retryAfter } of attack.answers)
        expect(status === 200 || ([429, 503].includes(status) && retryAfter)).toBe(true);
    },
    attackMs * 3 + 30_000,
  );

  it('a page beyond the last is empty, and as fast as the first', async () => {
    const startedAt = performance.now();
    const response = await fetch(`${service.url}/api/v2.1/rest/get_unread_users?page=1000000`, {
      headers: headersOf(attacker),
    });
    expect(await response.json()).toEqual({ results: { user_ids: [] }, status: 200 });
    expect(performance.now() - startedAt).toBeLessThan(2 * floorMs);
  });
});

function headersOf({ appId, certificate }: Credentials): Record<string, string> {
  return { 'qiscus-sdk-app-id': appId, 'qiscus-sdk-secret': certificate };
}

function requestOf(app: Credentials, path: string, body: string): string {
  const headers = {
    ...{ ...headersOf(app), authorization: `Bearer ${tokenOf(app)}`, 'content-length': body.length },
    'qiscus-sdk-token': tokenOf(app, usernameOf(0)),
  };
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const target = path.replace(':app', `${app.org}/${app.name}`);
  return `GET ${target} HTTP/1.1\r\nhost: rollcall\r\n${head.join('')}\r\n${body}`;
}

async function grant(url: string, { org, name, appId, certificate }: Credentials): Promise<{ application: string }> {
  const response = await fetch(`${url}/${org}/${name}/token`, {
    method: 'POST',
    body: JSON.stringify({ grant_type: 'client_credentials', client_id: appId, client_secret: certificate }),
  });
  return (await response.json()) as { application: string };
}

/** What another app and the health checks observe until `work` is done: each asks again after its answer. */
async function watch(url: string, app: Credentials, work: Promise<unknown>) {
  const lookUp = `${url}/${app.org}/${app.name}/users/somebody`;
  const [calls, health] = (await watchCalls(
    [{ url: lookUp, headers: { authorization: `Bearer ${tokenOf(app)}` } }, { url: `${url}/health/ready` }],
    work,
  )) as [Watched, Watched];
  return {
    calls: calls.statuses,
    callP99: percentile(calls.ms, 0.99),
    healthP99: percentile(health.ms, 0.99),
  };
}
