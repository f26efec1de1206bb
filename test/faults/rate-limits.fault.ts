import { setTimeout as sleep } from 'node:timers/promises';
import { type Call, overfullWindows } from '../../src/rate-limit/rate-limit.store.contract.js';
import { Cluster } from '../support/cluster.js';
import { runs } from '../support/form.js';
import { patientWithDatabase } from '../support/test-database.js';

const windowMs = 1_000;
const lastsMs = runs(3_000, 60_000);
/** How often a measurement is begun that a busy machine may spoil. */
const attemptsMost = 8;
/** Clocks of two programs may run apart by a little within a window. */
const driftMs = 2;

describe('rate limits over three nodes', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await Cluster.start(3, undefined, patientWithDatabase);
    await cluster.set('rate_profile=agora');
    // Until every node knows.
    await sleep(1_050);
  }, 120_000);
  afterAll(() => cluster?.stop());

  /** What `work` answers, or null when a node did not hear from Redis in time meanwhile. */
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
        const { status } = await cluster.call(cluster.node(index % 3), method, path, body);
        statuses.add(status);
        return { from, to: performance.now(), allowed: status !== 429 };
      };
      const offer = async (begun: number): Promise<Call[]> => {
        const calls: Promise<Call>[] = [];
        for (let now = begun; now < begun + lastsMs; now = performance.now()) {
          // What is due by now, however late this process is.
          while (calls.length < ((now - begun) / 1_000) * limit * times) calls.push(call(now, calls.length));
          await sleep(1);
        }
        return Promise.all(calls);
      };
      let begun = 0;
      let made: Call[] | null = null;
      // On a machine that is busy with something else, a node may not hear from Redis in time; then it counts alone.
      for (let attempt = 0; made === null && attempt < attemptsMost; attempt += 1) {
        // The calls of an attempt before are out of every window.
        await sleep(windowMs + 50);
        made = await whileRedisAnswers(() => offer((begun = performance.now())));
      }
      if (made === null) throw new Error('no node could rely on Redis for long enough to measure');
      const lasted = (Math.max(...made.map(({ to }) => to)) - begun) / 1_000;
      const allowed = made.filter((one) => one.allowed);
      const needless = made.filter((one) => !one.allowed && hadRoom(one, allowed, limit));
      console.log(
        `${limit} a second: ${made.length} offered in ${lasted.toFixed(1)} s, ${allowed.length} let in ` +
          `(${((allowed.length / limit / lasted) * 100).toFixed(1)} %), ${needless.length} refused that fitted`,
      );
      expect([...statuses].filter((status) => status >= 500)).toEqual([]);
      expect(allowed.length).toBeGreaterThan((limit * lasted) / 2);
      expect(overfullWindows(made, limit, windowMs, driftMs)).toBe(0);
      expect(allowed.length).toBeLessThanOrEqual(limit * (lasted + 1));
      expect(needless.length).toBeLessThanOrEqual(0.01 * allowed.length);
    },
    attemptsMost * (lastsMs + 20_000),
  );
});

/** Whether this call surely fitted: fewer than the limit can have been let in within the window before it. */
function hadRoom(refused: Call, allowed: readonly Call[], limit: number): boolean {
  const since = refused.from - windowMs - driftMs;
  return allowed.filter(({ from, to }) => to > since && from < refused.to).length < limit;
}
