import { setTimeout as sleep } from 'node:timers/promises';
import { createConnection, type RowDataPacket } from 'mysql2/promise';
import { startGalera, startRedis, type TestGalera, type TestServer } from '../../scripts/test-servers.mjs';
import { aBootstrapApp } from '../factories/app.factory.js';
import { aUsername } from '../factories/user.factory.js';
import { inTurns } from '../support/cluster.js';
import { longForm, runs, seed } from '../support/form.js';
import { removeLimits, ServiceProcess } from '../support/service-process.js';
import { createDatabase, type TestDatabase } from '../support/test-database.js';
import { tokenOf } from '../support/tokens.js';

const nodes = [0, 1, 2] as const;
const minuteMs = 60_000;
const writersPerNode = 6;
const faults = runs(1, 10);
const acksBetweenFaults = 300;
/** A database node that is gone is noticed after 2 s here; then the others continue. */
const maxStallMs = 8_000;
const backWithinMs = 5_000;

interface Answer {
  readonly status: number;
  readonly body: any;
  readonly retryAfter: string | null;
  readonly tookMs: number;
}

/** Three services on three nodes of one database, and what was acknowledged to the writers on each. */
describe('three services, each on its own node of a Galera cluster', () => {
  const app = aBootstrapApp();
  const appPath = `${app.org}/${app.name}`;
  let galera: TestGalera;
  let redis: TestServer;
  let database: TestDatabase;
  let services: ServiceProcess[] = [];
  let token: string;

  const environment = (node: number): Record<string, string> => ({
    DATABASE_URL: urlOf(node),
    REDIS_URL: redis.url,
    BOOTSTRAP_APPS: app.text,
    PASSWORD_COST: 'm=8,t=1,p=1',
  });
  /** The database, through one of its nodes. */
  const urlOf = (node: number): string => {
    const url = new URL(galera.urls[node] as string);
    url.pathname = new URL(database.url).pathname;
    return url.href;
  };
  const call = async (node: number, method: string, path: string, body?: unknown, bearer = token): Promise<Answer> => {
    const startedAt = performance.now();
    const response = await fetch(`${(services[node] as ServiceProcess).url}/${appPath}${path}`, {
      method,
      headers: { authorization: `Bearer ${bearer}` },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return {
      status: response.status,
      body: await response.json(),
      retryAfter: response.headers.get('retry-after'),
      tookMs: performance.now() - startedAt,
    };
  };
  const register = (node: number, username: string): Promise<Answer> =>
    call(node, 'POST', '/users', { username, password: 'p' });
  /** What a database node has, including everything committed before. */
  const rowsOn = async <Row>(node: number, sql: string): Promise<Row[]> => {
    const connection = await createConnection(urlOf(node));
    try {
      await connection.query('SET SESSION wsrep_sync_wait = 1');
      return (await connection.query<RowDataPacket[]>(sql))[0] as Row[];
    } finally {
      await connection.end();
    }
  };
  const usernamesOn = async (node: number): Promise<string[]> =>
    (await rowsOn<{ username: string }>(node, 'SELECT username FROM users ORDER BY username')).map(
      ({ username }) => username,
    );

  beforeAll(async () => {
    [galera, redis] = await Promise.all([startGalera(), startRedis()]);
    database = await createDatabase('mariadb', galera.urls[0]);
  }, 2 * minuteMs);
  afterAll(async () => {
    ServiceProcess.killAll();
    await Promise.all([galera?.stop(), redis?.stop()]);
  });

  it(
    'five of them start at once on an empty database: each migration once, one app, all ready',
    async () => {
      services = await Promise.all([0, 1, 2, 0, 1].map((node) => ServiceProcess.start(environment(node))));
      for (const { url } of services) expect((await fetch(`${url}/health/ready`)).status).toBe(200);
      for (const node of nodes) {
        const migrations = 'SELECT name, COUNT(*) AS times FROM migrations GROUP BY name';
        const applied = await rowsOn<{ times: number }>(node, migrations);
        expect(applied.length).toBeGreaterThan(0);
        expect(applied.filter(({ times }) => times !== 1)).toEqual([]);
        expect(await rowsOn(node, 'SELECT org FROM apps')).toEqual([{ org: app.org }]);
      }
      await Promise.all(services.splice(3).map((service) => service.kill()));
      await removeLimits(app, environment(0));
      token = tokenOf(app);
    },
    2 * minuteMs,
  );

  it(
    'one of fifty simultaneous registrations of a name succeeds, the others are told that it is taken',
    async () => {
      const names = Array.from({ length: runs(20, 100) }, () => aUsername('race'));
      const answers = await inTurns(names, 2, (name) =>
        Promise.all(Array.from({ length: 50 }, (_none, index) => register(index % nodes.length, name))),
      );
      const counts = new Map<string, number>();
      for (const ofOneName of answers) {
        expect(ofOneName.filter(({ status }) => status === 200)).toHaveLength(1);
        for (const { status, body } of ofOneName) {
          const kind = `${status} ${body.error ?? ''}`.trim();
          counts.set(kind, (counts.get(kind) ?? 0) + 1);
        }
      }
      console.log(`${names.length} names, 50 at once each:`, Object.fromEntries(counts));
      expect(Object.fromEntries(counts)).toEqual({
        200: names.length,
        '400 duplicate_unique_property_exists': names.length * 49,
      });
      for (const node of nodes) expect(await usernamesOn(node)).toEqual([...names].sort());
    },
    runs(1, 5) * minuteMs,
  );

  it(
    'a user, a ban and its end acknowledged by one of them take effect on the next at once, however far its node lags',
    async () => {
      /** While this is queried, the database node applies nothing that others have written. */
      const whileBehind = async (
        node: number,
        change: () => Promise<Answer>,
        ask: () => Promise<Answer>,
      ): Promise<Answer> => {
        const connection = await createConnection(urlOf(node));
        try {
          await connection.query('FLUSH TABLES WITH READ LOCK');
          expect((await change()).status).toBe(200);
          const answer = ask();
          await sleep(150);
          await connection.query('UNLOCK TABLES');
          return await answer;
        } finally {
          await connection.end();
        }
      };
      const stale: string[] = [];
      for (let round = 0; round < runs(6, 60); round += 1) {
        const [here, presentNames] = [round % nodes.length, (round + 1) % nodes.length] as [number, number];
        const name = aUsername('seen');
        const steps = [
          ['user', () => register(here, name), 200],
          ['ban', () => call(here, 'POST', `/users/${name}/deactivate`), 400],
          ['end of the ban', () => call(here, 'POST', `/users/${name}/activate`), 200],
        ] as const;
        for (const [what, change, expected] of steps) {
          const { status } = await whileBehind(presentNames, change, () =>
            call(presentNames, 'POST', '/token', { grant_type: 'password', username: name, password: 'p' }),
          );
          if (status !== expected) stale.push(`${what} (round ${round}): ${status}`);
        }
      }
      expect(stale).toEqual([]);
    },
    runs(1, 5) * minuteMs,
  );

  it(
    'a database node is killed with -9 or suspended: no acknowledged user is lost, the two others carry on, and it comes back',
    async () => {
      const acked: string[] = [];
      const attempted = new Set<string>(await usernamesOn(0));
      const statuses = new Map<number, number>();
      /** When each service last acknowledged, and its longest pause. */
      const last = nodes.map(() => performance.now());
      const longest = nodes.map(() => 0);
      const acksOf = nodes.map(() => 0);
      let stopped = false;
      const write = async (node: number): Promise<void> => {
        while (!stopped) {
          const name = aUsername('kept');
          attempted.add(name);
          const { status, retryAfter } = await register(node, name);
          statuses.set(status, (statuses.get(status) ?? 0) + 1);
          if (status === 503) expect(retryAfter).toMatch(/^\d+$/);
          if (status !== 200) {
            await sleep(20);
            continue;
          }
          acked.push(name);
          acksOf[node] = (acksOf[node] as number) + 1;
          const now = performance.now();
          longest[node] = Math.max(longest[node] as number, now - (last[node] as number));
          last[node] = now;
        }
      };
      const acksFrom = async (some: readonly number[], count: number, withinMs: number): Promise<void> => {
        const targets = some.map((node) => (acksOf[node] as number) + count);
        for (const until = performance.now() + withinMs; ; await sleep(5)) {
          if (some.every((node, index) => (acksOf[node] as number) >= (targets[index] as number))) return;
          if (performance.now() > until) throw new Error(`no acknowledgements in time (seed ${seed})`);
        }
      };
      const writing = Promise.all(nodes.flatMap((node) => Array.from({ length: writersPerNode }, () => write(node))));
      const stalls: number[] = [];
      const returns: number[] = [];
      const slowestRefusal = { killed: 0, stopped: 0 };
      try {
        for (let round = 0; round < faults; round += 1) {
          const victim = (seed + round) % nodes.length;
          const survivors = nodes.filter((node) => node !== victim);
          await acksFrom(nodes, acksBetweenFaults / nodes.length, minuteMs);
          longest.fill(0);
          const how = round % 2 === 0 ? 'killed' : 'stopped';
          if (how === 'killed') await galera.kill(victim);
          else galera.pause(victim);
          await acksFrom(survivors, 50, maxStallMs + minuteMs);
          stalls.push(Math.max(...survivors.map((node) => longest[node] as number)));
          const refusals = await Promise.all(Array.from({ length: 10 }, () => register(victim, aUsername('refused'))));
          for (const { status, retryAfter, tookMs } of refusals) {
            expect([status, retryAfter]).toEqual([503, '1']);
            slowestRefusal[how] = Math.max(slowestRefusal[how], tookMs);
          }
          const { url } = services[victim] as ServiceProcess;
          expect((await fetch(`${url}/health/live`)).status).toBe(200);
          expect((await fetch(`${url}/health/ready`)).status).toBe(503);
          if (how === 'killed') await galera.start(victim);
          else await galera.resume(victim);
          const startedAt = performance.now();
          await acksFrom([victim], 1, backWithinMs + minuteMs);
          returns.push(performance.now() - startedAt);
          expect((await fetch(`${url}/health/ready`)).status).toBe(200);
        }
      } finally {
        stopped = true;
        await writing;
      }
      const ms = (values: readonly number[]): string => values.map((value) => value.toFixed()).join(', ');
      console.log(
        `${acked.length} acknowledged, ${faults} faults (seed ${seed}): stalls ${ms(stalls)} ms, ` +
          `back after ${ms(returns)} ms, slowest 503s in ms and statuses`,
        slowestRefusal,
        Object.fromEntries(statuses),
      );
      for (const node of nodes) {
        const present = await usernamesOn(node);
        const presentNames = new Set(present);
        expect(acked.filter((name) => !presentNames.has(name))).toEqual([]);
        expect(present.filter((name) => !attempted.has(name) && !name.startsWith('refused'))).toEqual([]);
        expect(present).toEqual(await usernamesOn(0));
      }
      expect([...statuses.keys()].filter((status) => status !== 200 && status !== 503)).toEqual([]);
      expect(acked.length).toBeGreaterThanOrEqual(faults * acksBetweenFaults);
      expect(Math.max(...stalls)).toBeLessThan(maxStallMs);
      expect(Math.max(...returns)).toBeLessThan(backWithinMs);
      expect(slowestRefusal.killed).toBeLessThan(1_000);
      // A silent server is detected by the timeout of a statement.
      expect(slowestRefusal.stopped).toBeLessThan(4_000);
    },
    (longForm ? 20 : 4) * minuteMs,
  );
});
