import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { aBootstrapApp } from '../factories/app.factory.js';
import { longForm, runs, retryTimingTests } from '../support/form.js';
import { percentile } from '../support/percentile.js';
import { rawCall } from '../support/raw-call.js';
import { removeLimits, ServiceProcess } from '../support/service-process.js';
import { createDatabase, type TestDatabase } from '../support/test-database.js';
import { tokenOf } from '../support/tokens.js';

retryTimingTests();

const users = 40;
const framesPerSecond = 180;
const frameBytes = 15_000;
const lastsMs = runs(3_000, 60_000);
/**
 * The short form shares two processors with two other suites, and the service competes for CPU that the control does
 * not need.
 */
const noiseMs = longForm ? 25 : 400;

interface Flood {
  readonly sent: number;
  readonly stored: number;
  readonly refused: number;
  readonly closed: Readonly<Record<string, number>>;
}

/** SQLite works on the thread that serves everybody, so the short form tests it; the long form tests both. */
const engines = longForm ? (['sqlite', 'mariadb'] as const) : (['sqlite'] as const);

describe.each(engines)('an app whose users flood the gateway, on %s', (engine) => {
  const [noisy, quiet] = [aBootstrapApp(), aBootstrapApp()];
  let database: TestDatabase;
  let service: ServiceProcess;
  /** Another service without a flood: if it slows down meanwhile, the machine did it. */
  let control: ServiceProcess;

  beforeEach(async () => {
    database = await createDatabase(engine);
    const env = {
      DATABASE_URL: database.url,
      BOOTSTRAP_APPS: `${noisy.text},${quiet.text}`,
      PASSWORD_COST: 'm=8,t=1,p=1',
      LOG_LEVEL: 'error',
    };
    service = await ServiceProcess.start(env);
    await removeLimits(quiet, env);
    control = await ServiceProcess.start({ ...env, DATABASE_URL: 'sqlite::memory:' });
  }, 120_000);
  afterEach(async () => {
    await control.kill();
    await service.kill();
    await database.drop();
  });

  const register = async (app: typeof noisy, usernames: string[]): Promise<void> => {
    for (let start = 0; start < usernames.length; start += 20) {
      const batch = usernames.slice(start, start + 20).map((username) => ({ username, password: 'p' }));
      const options = { token: tokenOf(app), body: JSON.stringify(batch) };
      const answer = await rawCall(service.url, 'POST', `/${app.org}/${app.name}/users`, options);
      expect(answer.status).toBe(200);
    }
  };

  /** Calls for a while, one after the other. @returns how long each took; anything but 200 is a failure */
  async function watch({ url }: ServiceProcess, path: string, forMs: number): Promise<number[]> {
    const headers = { authorization: `Bearer ${tokenOf(quiet)}` };
    const took: number[] = [];
    for (const until = performance.now() + forMs; performance.now() < until; await sleep(5)) {
      const requestedAt = performance.now();
      const answer = await fetch(`${url}${path}`, { headers });
      await answer.arrayBuffer();
      took.push(performance.now() - requestedAt);
      expect(answer.status).toBe(200);
    }
    return took;
  }

  /** Users of the noisy app send as fast as they can until the returned function is called. */
  async function flood(usernames: string[], receivers: string[]): Promise<() => Promise<Flood>> {
    await register(noisy, [...usernames, ...receivers]);
    const worker = new Worker(join(import.meta.dirname, '../support/message-flood.mjs'), {
      workerData: {
        url: `${service.url.replace('http', 'ws')}/${noisy.org}/${noisy.name}/ws`,
        tokens: usernames.map((username) => tokenOf(noisy, username)),
        perSecond: framesPerSecond,
        bytes: frameBytes,
        receivers: [...receivers, ...usernames],
      },
    });
    let counts: Flood | undefined;
    worker.on('message', (now: Flood) => (counts = now));
    return async () => {
      await worker.terminate();
      return counts as Flood;
    };
  }
  const names = (count: number, prefix: string): string[] =>
    Array.from({ length: count }, (_none, index) => `${prefix}-${index}`);

  it(
    'another tenant reads about as fast as before, and nobody gets a 503',
    async () => {
      await register(quiet, ['reader']);
      const reads = `/${quiet.org}/${quiet.name}/users/reader`;
      const before = percentile(await watch(service, reads, runs(1_500, 3_000)), 0.99);

      const stop = await flood(names(users, 'flood'), ['target-1', 'target-2']);
      const [read, health, quietly] = await Promise.all([
        watch(service, reads, lastsMs),
        watch(service, '/health/ready', lastsMs),
        watch(control, '/health/ready', lastsMs),
      ]);
      const counts = await stop();

      const during = percentile(read, 0.99);
      const healthP99 = percentile(health, 0.99);
      const ofMachine = percentile(quietly, 0.99);
      console.log(
        `${engine}: reads p99 ${before.toFixed(1)} ms before, ${during.toFixed(1)} ms beside the flood` +
          ` (p50 ${percentile(read, 0.5).toFixed(1)} ms); health p99 ${healthP99.toFixed(1)} ms,` +
          ` of the control ${ofMachine.toFixed(1)} ms; ${JSON.stringify(counts)}`,
      );
      expect(during).toBeLessThan(Math.max(2 * before, 2 * ofMachine, noiseMs));
      expect(healthP99).toBeLessThan(Math.max(100, 2 * ofMachine, longForm ? 0 : noiseMs));
      expect(counts.stored).toBeGreaterThan(0);
      expect(counts.refused).toBeGreaterThan(users);
      // The app may send 2,000 messages a second, and each of these counts as fifteen.
      expect(counts.stored).toBeLessThanOrEqual((133 * (lastsMs + 1_000)) / 1_000);
    },
    lastsMs + 60_000,
  );

  it('a user who keeps sending too much is disconnected with 4012', async () => {
    const stop = await flood(names(3, 'stubborn'), ['target-3']);
    await sleep(25_000);
    const counts = await stop();
    expect(Object.keys(counts.closed)).toEqual(['4012']);
    // Six of them a second from each user, however often it reconnects.
    expect(counts.stored).toBeLessThanOrEqual(3 * 6 * 26);
  }, 60_000);
});
