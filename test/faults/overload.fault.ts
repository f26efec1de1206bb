import { once } from 'node:events';
import { createConnection } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { maxUnderWay } from '../../src/http/load-shedder.js';
import { aBootstrapApp } from '../factories/app.factory.js';
import { aUsername } from '../factories/user.factory.js';
import { longForm, runs, retryTimingTests } from '../support/form.js';
import { until } from '../support/gateway-client.js';
import { type LoadAnswer, OpenLoad, requestText } from '../support/open-load.js';
import { percentile } from '../support/percentile.js';
import { removeLimits, ServiceProcess } from '../support/service-process.js';
import { startApp } from '../support/start-app.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { createDatabase, type TestDatabase } from '../support/test-database.js';
import { tokenOf } from '../support/tokens.js';

retryTimingTests();

const times = 3;
const lastsMs = runs(3_000, 60_000);
/** How long its capacity is measured. */
const peakMs = runs(1_000, 2_000);
/** A caller that waits longer has given up. */
const patienceMs = 5_000;
const maxResidentMiB = 512;
/** A refused caller is told so at once. */
const refusedWithinMs = 100;
/** The short form shares the machine with another suite, so times get this much more. */
const slack = longForm ? 1 : 3;

describe(`at ${times} times its capacity`, () => {
  const app = aBootstrapApp();
  let database: TestDatabase;
  let service: ServiceProcess;
  let token: string;

  beforeEach(async () => {
    database = await createDatabase('sqlite');
    const env = { DATABASE_URL: database.url, BOOTSTRAP_APPS: app.text, LOG_LEVEL: 'fatal' };
    service = await ServiceProcess.start(env);
    await removeLimits(app, env);
    token = tokenOf(app);
  }, 120_000);
  afterEach(async () => {
    await service.kill();
    await database.drop();
  });

  const http = (method: string, path: string, body?: string): string =>
    requestText(method, `/${app.org}/${app.name}${path}`, token, body);
  const registration = (): string => http('POST', '/users', JSON.stringify({ username: aUsername(), password: 'p' }));
  const batch = (): string =>
    http(
      'POST',
      '/users',
      JSON.stringify(Array.from({ length: 20 }, () => ({ username: aUsername(), password: 'p' }))),
    );

  /** The throughput of this many concurrent callers, each of which calls again after its last answer. */
  const peakOf = async (request: () => string, atOnce: number): Promise<{ perSecond: number; latencyMs: number }> => {
    const load = new OpenLoad(service.url, request, atOnce);
    await load.saturate(atOnce, peakMs / 2);
    load.answers.length = 0;
    const startedAt = performance.now();
    await load.saturate(atOnce, peakMs);
    const perSecond = load.answers.length / ((performance.now() - startedAt) / 1_000);
    await load.close();
    expect(load.answers.filter(({ status }) => status !== 200)).toEqual([]);
    return { perSecond, latencyMs: (atOnce / perSecond) * 1_000 };
  };

  const callsOfBothForms = [
    ['listing users', () => http('GET', '/users?limit=20'), 64],
    ['registering users, whose passwords are hashed at the full cost', registration, 16],
  ] as const;
  it.each([...callsOfBothForms, ...(longForm ? ([['registering users in batches', batch, 4]] as const) : [])])(
    '%s: goodput of 80 %%, 503 at once for the rest, health within 200 ms, and as before within 5 s',
    async (_what, request, atOnce) => {
      for (let index = 0; index < 20; index += 1)
        await fetch(`${service.url}/${app.org}/${app.name}/users`, {
          method: 'POST',
          headers: { authorization: `Bearer ${token}` },
          body: JSON.stringify({ username: aUsername(), password: 'p' }),
        });
      const before = await peakOf(request, atOnce);
      const residentBefore = await service.residentMiB();

      let maxResident = 0;
      const healthWhile = async (work: Promise<void>): Promise<number> => {
        const took: number[] = [];
        let watching = true;
        const watch = (async () => {
          while (watching) {
            const requestedAt = performance.now();
            await (await fetch(`${service.url}/health/ready`)).text();
            took.push(performance.now() - requestedAt);
            maxResident = Math.max(maxResident, await service.residentMiB());
            await sleep(20);
          }
        })();
        await work;
        watching = false;
        await watch;
        return percentile(took, 0.99);
      };
      // What a busy machine adds to every answer.
      const idleHealthP99 = await healthWhile(sleep(1_000));
      const load = new OpenLoad(service.url, request, 1_000);
      const healthP99 = await healthWhile(load.run(times * before.perSecond, lastsMs));
      const answered = [...load.answers];
      const ended = performance.now();
      await load.close();
      const probe = new OpenLoad(service.url, request, 1);
      const isNormal = ({ status, ms }: LoadAnswer): boolean => status === 200 && ms < 3 * before.latencyMs + 500;
      do await probe.saturate(1, 1);
      while (!isNormal(probe.answers.at(-1) as LoadAnswer) && performance.now() < ended + 30_000);
      const normalMs = performance.now() - ended;
      await probe.close();
      // The CPU available to this service may have changed meanwhile.
      const peak = Math.min(before.perSecond, (await peakOf(request, atOnce)).perSecond);

      const good = answered.filter(({ status, ms }) => status === 200 && ms < patienceMs);
      const goodput = good.length / (lastsMs / 1_000) / peak;
      const refused = answered.filter(({ status }) => status !== 200);
      const [goodP99, refusedP99] = [good, refused]
        .map((answers) => answers.map(({ ms }) => ms))
        .map((times) => percentile(times, 0.99)) as [number, number];
      console.log(
        `${_what}: peak ${Math.round(peak)}/s, goodput ${(goodput * 100).toFixed()} %, p99 ${goodP99.toFixed()} ms, ` +
          `${refused.length} refused with p99 ${refusedP99.toFixed()} ms, ${load.unsent} unsent, health p99 ${Math.round(healthP99)} ms (idle ${Math.round(idleHealthP99)} ms), memory ${Math.round(residentBefore)} to ` +
          `${Math.round(maxResident)} MiB, as before after ${Math.round(normalMs)} ms`,
      );
      expect(refused.filter(({ status, retryAfter }) => status !== 503 || !retryAfter)).toEqual([]);
      expect(refusedP99).toBeLessThan(slack * (refusedWithinMs + idleHealthP99));
      expect(goodput).toBeGreaterThanOrEqual(0.8 / slack);
      expect(healthP99).toBeLessThan(slack * (200 + idleHealthP99));
      expect(maxResident).toBeLessThan(maxResidentMiB);
      expect(normalMs).toBeLessThan(slack * 5_000);
    },
    lastsMs + 120_000,
  );
});

describe('with as many requests in progress as it accepts', () => {
  it('refuses the next at once, answers health checks, and serves all that it admitted', async () => {
    const server = await createDatabase('mariadb');
    const proxy = await TcpProxy.to(server.url);
    const running = await startApp({
      database: { url: proxy.through(server.url), drop: () => server.drop() },
      env: { DATABASE_STATEMENT_TIMEOUT_MS: '60000', DATABASE_ACQUIRE_TIMEOUT_MS: '60000' },
    });
    await running.call('get', '/users');
    proxy.hold();
    const more = 100;
    const answers: { status: number; retryAfter: string | undefined }[] = [];
    const calls = Array.from({ length: maxUnderWay + more }, async () => {
      const { status, headers } = await running.call('get', '/users');
      answers.push({ status, retryAfter: headers['retry-after'] });
    });
    await until(() => answers.length >= more, 20_000);
    expect((await running.call('get', '//health/live?x')).status).toBe(200);
    // Only health checks are admitted, not an organisation whose name starts in the same way.
    expect((await running.call('get', '//health-care/app/users')).status).toBe(503);
    expect(answers).toEqual(Array(more).fill({ status: 503, retryAfter: '1' }));
    proxy.heal();
    await Promise.all(calls);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(maxUnderWay);
    // Each has returned its slot.
    expect((await running.call('get', '/users')).status).toBe(200);
    await running.stop();
    await proxy.close();
    await server.drop();
  }, 120_000);
});

describe('while its event loop is blocked', () => {
  it('a thousand connections wait, and all are served when it continues', async () => {
    const database = await createDatabase('sqlite');
    const service = await ServiceProcess.start({ DATABASE_URL: database.url, LOG_LEVEL: 'fatal' });
    const { hostname, port } = new URL(service.url);
    service.suspend();
    let connected = 0;
    const sockets = Array.from({ length: 1_000 }, () =>
      createConnection(Number(port), hostname).once('connect', () => (connected += 1)),
    );
    // A caller that finds the queue full retries after a second.
    await until(() => connected === sockets.length, 900);
    service.resume();
    const answers = sockets.map(async (socket) => {
      socket.write('GET /health/live HTTP/1.1\r\nhost: rollcall\r\nconnection: close\r\n\r\n');
      const [first] = (await once(socket, 'data')) as [Buffer];
      return first.toString('latin1', 0, 15);
    });
    expect(new Set(await Promise.all(answers))).toEqual(new Set(['HTTP/1.1 200 OK']));
    await service.kill();
    await database.drop();
  }, 60_000);
});
