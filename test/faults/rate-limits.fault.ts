import { setTimeout as sleep } from 'node:timers/promises';
import { type Call, overfullWindows } from '../../src/rate-limit/rate-limit.store.contract.js';
import { aBootstrapApp } from '../factories/app.factory.js';
import { Cluster } from '../support/cluster.js';
import { longForm, runs } from '../support/form.js';
import { OpenLoad, requestText } from '../support/open-load.js';
import { percentile } from '../support/percentile.js';
import type { ServiceProcess } from '../support/service-process.js';
import { longDatabaseTimeouts } from '../support/test-database.js';
import { tokenOf } from '../support/tokens.js';

const hourMs = 3_600_000;
const windowMs = 1_000;
const floods = 50;
/** Out of its limit of a hundred, so that late calls do not fill a window. */
const neighbourPerSecond = 50;
/** Seconds without and with the flood; the first ones are for the compiler to warm up. */
const turns = runs(2, 20);
const warmUpTurns = runs(1, 6);
const lastsMs = runs(3_000, 60_000);
/** How often a measurement that a busy machine may spoil is started. */
const maxAttempts = 8;
/** The clocks of two programs may drift a little within a window. */
const driftMs = 2;

describe('rate limits over three nodes, one of whose clocks is an hour ahead and one an hour behind', () => {
  const neighbour = aBootstrapApp();
  let cluster: Cluster;
  /** Per node. */
  let tokens: string[];
  beforeAll(async () => {
    const env = { ...longDatabaseTimeouts, BOOTSTRAP_APPS: neighbour.text };
    cluster = await Cluster.start([0, hourMs, -hourMs], undefined, env);
    await cluster.set('rate_profile=agora');
    tokens = await Promise.all(cluster.nodes.map((node) => cluster.nodeToken(node)));
  }, 120_000);
  afterAll(() => cluster?.stop());

  /** The result of `work`, or null if a node did not hear from Redis in time meanwhile. */
  const whileRedisAnswers = async <Result>(work: () => Promise<Result>): Promise<Result | null> => {
    let [watching, lost] = [true, false];
    const watch = (async () => {
      while (watching) {
        for (const { url } of cluster.nodes) {
          const response = await fetch(`${url}/health/ready`);
          lost ||= ((await response.json()) as { redis: string }).redis !== 'up';
        }
        await sleep(50);
      }
    })();
    const result = await work();
    watching = false;
    await watch;
    return lost ? null : result;
  };

  it.each([
    [100, 'twice', 2, 'GET', '/users/nobody', undefined],
    [50, 'five times', 5, 'POST', '/users/batch/status', { usernames: ['nobody'] }],
    [30, 'ten times', 10, 'DELETE', '/users?limit=1', undefined],
  ] as const)(
    'never more than %i calls in any second, and 99 of 100 of what fits, at %s as many',
    async (limit, _words, times, method, path, body) => {
      const statuses = new Set<number>();
      const call = async (from: number, index: number): Promise<Call> => {
        const { status } = await cluster.call(cluster.node(index % 3), method, path, body, tokens[index % 3]);
        statuses.add(status);
        return { from, to: performance.now(), allowed: status !== 429 };
      };
      const offer = async (startedAt: number): Promise<Call[]> => {
        const calls: Promise<Call>[] = [];
        for (let now = startedAt; now < startedAt + lastsMs; now = performance.now()) {
          // What is due by now, however late this process is.
          while (calls.length < ((now - startedAt) / 1_000) * limit * times) calls.push(call(now, calls.length));
          await sleep(1);
        }
        return Promise.all(calls);
      };
      let startedAt = 0;
      let offered: Call[] | null = null;
      // On a busy machine, a node may not hear from Redis in time; then it counts on its own.
      for (let attempt = 0; offered === null && attempt < maxAttempts; attempt += 1) {
        // The calls of a previous attempt have left every window.
        await sleep(windowMs + 50);
        offered = await whileRedisAnswers(() => offer((startedAt = performance.now())));
      }
      if (offered === null) throw new Error('no node could rely on Redis for long enough to measure');
      const lasted = (Math.max(...offered.map(({ to }) => to)) - startedAt) / 1_000;
      const allowed = offered.filter((one) => one.allowed);
      const wronglyRefused = offered.filter((one) => !one.allowed && hadRoom(one, allowed, limit));
      console.log(
        `${limit} a second: ${offered.length} offered in ${lasted.toFixed(1)} s, ${allowed.length} let in ` +
          `(${((allowed.length / limit / lasted) * 100).toFixed(1)} %), ${wronglyRefused.length} refused that fit`,
      );
      expect([...statuses].filter((status) => status >= 500)).toEqual([]);
      expect(allowed.length).toBeGreaterThan((limit * lasted) / 2);
      expect(overfullWindows(offered, limit, windowMs, driftMs)).toBe(0);
      expect(allowed.length).toBeLessThanOrEqual(limit * (lasted + 1));
      expect(wronglyRefused.length).toBeLessThanOrEqual(0.01 * allowed.length);
    },
    maxAttempts * (lastsMs + 20_000),
  );

  it('their clocks differ: a node that is behind refuses tokens from one that is ahead', async () => {
    const [, ahead, behind] = cluster.nodes as [ServiceProcess, ServiceProcess, ServiceProcess];
    expect((await cluster.call(behind, 'GET', '/users/nobody', undefined, tokens[1])).status).toBe(401);
    expect((await cluster.call(ahead, 'GET', '/users/nobody', undefined, tokens[1])).status).toBe(404);
  });

  it(
    `an app that floods at ${floods} times its limit takes nothing from another one, nor more than a fifth of its speed`,
    async () => {
      const requestBytes = requestText('GET', `/${neighbour.org}/${neighbour.name}/users/nobody`, tokenOf(neighbour));
      const asks = new OpenLoad(cluster.node(0).url, () => requestBytes, 20);
      const flood = cluster.nodes.map(({ url }, index) => {
        const text = requestText('DELETE', `${cluster.path}/users?limit=1`, tokens[index] as string);
        return new OpenLoad(url, () => text, 100);
      });
      const perNode = (floods * 30) / flood.length;
      const took = { calm: [] as number[], flooded: [] as number[] };
      for (let turn = -warmUpTurns; turn < turns; turn += 1)
        for (const how of ['calm', 'flooded'] as const) {
          const flooding = how === 'calm' ? [] : flood.map((one) => one.run(perNode, windowMs));
          await Promise.all([asks.run(neighbourPerSecond, windowMs), ...flooding]);
          const answers = asks.answers.splice(0);
          expect(answers.filter(({ status }) => status !== 404)).toEqual([]);
          if (turn >= 0) took[how].push(...answers.map(({ ms }) => ms));
        }
      // Before calls still in progress are aborted.
      const statuses = flood.flatMap(({ answers }) => answers.map(({ status }) => status));
      await Promise.all([asks, ...flood].map((load) => load.close()));
      const [calm, flooded] = [took.calm, took.flooded].map((times) => ({
        p50: percentile(times, 0.5),
        p99: percentile(times, 0.99),
      })) as [Percentiles, Percentiles];
      console.log(
        `${statuses.length} calls of one app in ${warmUpTurns + turns} s, ` +
          `${statuses.filter((status) => status === 429).length} refused; calls of another in ms`,
        { calm, flooded },
      );
      expect(statuses.filter((status) => status !== 200 && status !== 429)).toEqual([]);
      // The short form shares the machine with another suite. Even alone, two processors run the nodes, their servers
      // and the flood, which the slowest calls notice.
      if (!longForm) return;
      expect(flooded.p50).toBeLessThan(1.2 * calm.p50 + 0.2);
      expect(flooded.p99).toBeLessThan(calm.p99 + 50);
    },
    3 * (warmUpTurns + turns) * windowMs + 60_000,
  );
});

interface Percentiles {
  readonly p50: number;
  readonly p99: number;
}

/** Whether this call certainly fit: fewer than the limit can have been admitted in the window before it. */
function hadRoom(refused: Call, allowed: readonly Call[], limit: number): boolean {
  const since = refused.from - windowMs - driftMs;
  return allowed.filter(({ from, to }) => to > since && from < refused.to).length < limit;
}
