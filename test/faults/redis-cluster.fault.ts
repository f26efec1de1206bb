import { setTimeout as sleep } from 'node:timers/promises';
import { SystemClock } from '../../src/clock/clock.js';
import type { Env } from '../../src/config/env.js';
import { presenceStoreContract } from '../../src/presence/presence.store.contract.js';
import { RedisPresenceStore } from '../../src/presence/redis-presence.store.js';
import { rateLimitStoreContract } from '../../src/rate-limit/rate-limit.store.contract.js';
import { RedisRateLimitStore } from '../../src/rate-limit/redis-rate-limit.store.js';
import { RedisCluster } from '../../src/redis/redis-cluster.fixture.js';
import type { RedisServer } from '../../src/redis/redis-server.fixture.js';
import { RedisUnavailable } from '../../src/redis/redis-unavailable.js';
import { RedisService } from '../../src/redis/redis.service.js';
import { aBootstrapApp } from '../factories/app.factory.js';
import { aUsername } from '../factories/user.factory.js';
import { longForm, retryTimingTests } from '../support/form.js';
import { GatewayClient } from '../support/gateway-client.js';
import { ServiceProcess } from '../support/service-process.js';
import { createDatabase, type TestDatabase } from '../support/test-database.js';
import { tokenOf } from '../support/tokens.js';

retryTimingTests();

const clock = new SystemClock();
const minuteMs = 60_000;
const leaseMs = 10_000;
const statusesPerSecond = 50;

describe('on a Redis Cluster', () => {
  let cluster: RedisCluster;
  beforeAll(async () => {
    cluster = await RedisCluster.start();
  }, minuteMs);
  afterAll(() => cluster?.remove());

  const until = async (condition: () => Promise<boolean>, withinMs: number): Promise<number> => {
    const startedAt = performance.now();
    while (!(await condition())) {
      if (performance.now() - startedAt > withinMs) throw new Error('not in time');
      await sleep(50);
    }
    return performance.now() - startedAt;
  };

  describe('the stores', () => {
    let redis: RedisService;
    let nodes = 0;
    beforeAll(async () => {
      redis = new RedisService({ redisUrl: cluster.url } as Env, clock);
      await redis.onModuleInit();
    });
    afterAll(() => redis?.onApplicationShutdown());

    describe('of presence', () => presenceStoreContract(() => new RedisPresenceStore(`node${nodes++}`, redis)));

    describe('of rate limits', () => {
      rateLimitStoreContract(
        () => ({
          store: new RedisRateLimitStore(redis, clock),
          clock,
          pass: async (ms) => void (await sleep(ms)),
          driftMs: 2,
          numRuns: 10,
        }),
        // Where a store keeps its counts does not depend on the rate.
        longForm ? undefined : [[100, 2]],
      );
    });

    it.each(['dies', 'hangs'] as const)(
      'when a master %s, its keys are refused, soon at once, others are served, and all are when it is back',
      async (how) => {
        const lost = '{lost}:key';
        const victim = await cluster.masterOf(lost);
        const kept = [];
        for (let index = 0; kept.length < 20; index += 1)
          if ((await cluster.masterOf(`{kept${index}}:key`)) !== victim) kept.push(`{kept${index}}:key`);
        await redis.run(lost, (commands) => commands.set(lost, 'x'));
        if (how === 'dies') await victim.kill();
        else victim.hang();

        const get = (key: string) => redis.run(key, (commands) => commands.get(key));
        const refused = async (): Promise<number> => {
          const startedAt = performance.now();
          await expect(get(lost)).rejects.toBeInstanceOf(RedisUnavailable);
          return performance.now() - startedAt;
        };
        const first = await refused();
        const next = Math.min(...(await Promise.all([refused(), refused(), refused()])));
        for (const key of kept) expect(await get(key)).toBeNull();
        expect(await redis.runEach([lost, ...kept].map((key) => [key, (commands) => commands.exists(key)]))).toEqual([
          null,
          ...kept.map(() => 0),
        ]);
        console.log(`a master ${how}: the first refusal after ${first.toFixed()} ms, then ${next.toFixed(1)} ms`);
        expect(first).toBeLessThan(600);
        expect(next).toBeLessThan(50);

        if (how === 'dies') await victim.start();
        else victim.resume();
        const served = () =>
          get(lost).then(
            () => true,
            () => false,
          );
        await until(served, 10_000);
        await until(() => cluster.isWhole(), 10_000);
      },
      minuteMs,
    );
  });

  describe('two services', () => {
    const apps = Array.from({ length: 24 }, () => aBootstrapApp());
    let database: TestDatabase;
    let services: ServiceProcess[];
    beforeAll(async () => {
      database = await createDatabase('mariadb');
      const env = {
        DATABASE_URL: database.url,
        REDIS_URL: cluster.url,
        BOOTSTRAP_APPS: apps.map(({ text }) => text).join(),
        PASSWORD_COST: 'm=8,t=1,p=1',
      };
      services = [await ServiceProcess.start(env), await ServiceProcess.start(env)];
    }, minuteMs);
    afterAll(async () => {
      ServiceProcess.killAll();
      await database.drop();
    });

    type App = (typeof apps)[number];
    const url = (node: number): string => (services[node] as ServiceProcess).url;
    const call = async (node: number, app: App, method: string, path: string, body?: unknown) => {
      const response = await fetch(`${url(node)}/${app.org}/${app.name}${path}`, {
        method,
        headers: { authorization: `Bearer ${tokenOf(app)}` },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return { status: response.status, body: (await response.json()) as any };
    };
    const statusOf = async (node: number, app: App, username: string): Promise<string> =>
      (await call(node, app, 'GET', `/users/${username}/status`)).body.data?.[username];
    /** A user of the app who is online at the first service. */
    const online = async (app: App): Promise<{ username: string; client: GatewayClient; key: string }> => {
      const username = aUsername();
      const { body } = await call(0, app, 'POST', '/users', { username, password: 'p' });
      const client = await GatewayClient.login(url(0), `/${app.org}/${app.name}`, tokenOf(app, username));
      return { username, client, key: `{${body.application}}` };
    };
    /**
     * How many calls pass, out of as many as the limit allows per second, at the first service and then at the other.
     */
    const passed = async (app: App): Promise<[number, number]> => {
      const counts = [];
      for (const node of [0, 1]) {
        const answers = await Promise.all(
          Array.from({ length: statusesPerSecond }, () =>
            call(node, app, 'POST', '/users/batch/status', { usernames: ['nobody'] }),
          ),
        );
        expect(answers.filter(({ status }) => status !== 200 && status !== 429)).toEqual([]);
        counts.push(answers.filter(({ status }) => status === 200).length);
      }
      return counts as [number, number];
    };
    const together = [statusesPerSecond, 0];
    /** Each service admits its share of the limit. */
    const alone = [statusesPerSecond / 2, statusesPerSecond / 2];
    const expectPassed = async (app: App, expected: readonly number[]): Promise<void> => {
      let counts: readonly number[] = [];
      // On a busy machine, the calls may outlast the window, or Redis its timeout.
      for (let attempt = 0; attempt < 5 && String(counts) !== String(expected); attempt += 1) {
        await sleep(1_100);
        counts = await passed(app);
      }
      expect(counts).toEqual(expected);
    };

    it(
      'share presence, signals and rate limits',
      async () => {
        const app = apps[0] as App;
        const afterMs: number[] = [];
        // Without the published hint it would be the next check of the mailbox, up to 3 s later. A busy machine delays
        // one signal, not five.
        while (afterMs.length < 5 && !afterMs.some((ms) => ms < 500)) {
          const { username, client } = await online(app);
          expect(await statusOf(1, app, username)).toBe('online');
          if (afterMs.length === 0) await expectPassed(app, together);
          const startedAt = performance.now();
          expect((await call(1, app, 'GET', `/users/${username}/disconnect`)).status).toBe(200);
          afterMs.push((await client.closed).at - startedAt);
          await until(async () => (await statusOf(1, app, username)) === 'offline', 3_000);
        }
        console.log(`forced offline by the other service after ${afterMs.map((ms) => ms.toFixed()).join(', ')} ms`);
        expect(Math.min(...afterMs)).toBeLessThan(500);
      },
      minuteMs,
    );

    it(
      'no 5xx when a master dies: its apps are limited by each service on its own, others as before, until it is back',
      async () => {
        const users = await Promise.all(apps.map(async (app) => ({ app, ...(await online(app)) })));
        const masters = await Promise.all(users.map(({ key }) => cluster.masterOf(key)));
        const victim = masters[0] as RedisServer;
        const lost = users.filter((_user, index) => masters[index] === victim);
        const kept = users.filter((_user, index) => masters[index] !== victim);
        const [{ app: lostApp }] = lost as [(typeof users)[number]];
        const [{ app: keptApp }] = kept as [(typeof users)[number]];
        let stopped = false;
        const statuses = new Map<number, number>();
        let slowestMs = 0;
        const callers = users.map(async ({ app, username }, index) => {
          while (!stopped) {
            const startedAt = performance.now();
            const { status } = await call(index % 2, app, 'GET', `/users/${username}/status`);
            slowestMs = Math.max(slowestMs, performance.now() - startedAt);
            statuses.set(status, (statuses.get(status) ?? 0) + 1);
            await sleep(100);
          }
        });
        await victim.kill();
        const died = performance.now();
        await expectPassed(lostApp, alone);
        await expectPassed(keptApp, together);
        await sleep(Math.max(0, leaseMs + 1_000 - (performance.now() - died)));
        for (const { app, username } of kept) expect(await statusOf(1, app, username)).toBe('online');

        await victim.start();
        const back = await until(async () => {
          const states = await Promise.all(lost.map(({ app, username }) => statusOf(1, app, username)));
          return states.every((state) => state === 'online');
        }, 15_000);
        stopped = true;
        await Promise.all(callers);
        console.log(
          `${lost.length} of ${users.length} apps lost their master; slowest call ${slowestMs.toFixed()} ms, ` +
            `presence right ${back.toFixed()} ms after it was back, statuses`,
          Object.fromEntries(statuses),
        );
        expect([...statuses.keys()]).toEqual([200]);
        await expectPassed(lostApp, together);
        expect(users.every(({ client }) => client.open)).toBe(true);
        for (const { client } of users) await client.close();
      },
      2 * minuteMs,
    );
  });
});
