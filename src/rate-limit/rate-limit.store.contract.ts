import fc from 'fast-check';
import type { Clock } from '../clock/clock.js';
import type { RateLimitStore } from './rate-limit.store.js';

export interface StoreUnderTest {
  readonly store: RateLimitStore;
  readonly clock: Clock;
  /** Lets time pass. */
  readonly pass: (ms: number) => Promise<void> | void;
  /** How far the store's clock and the test's may diverge within a test. */
  readonly driftMs: number;
  /** Schedules tried by the property. */
  readonly numRuns: number;
}

/** A call as seen from outside: the store decided at some moment between `from` and `to`. */
export interface Call {
  readonly from: number;
  readonly to: number;
  readonly allowed: boolean;
}

/** Windows that certainly held more than `limit` admitted calls: none for a correct store. */
export function overfullWindows(calls: readonly Call[], limit: number, windowMs: number, driftMs = 0): number {
  const passed = calls.filter((call) => call.allowed);
  // A call made before the window may have been counted before it, however late its answer arrived.
  return passed.filter(({ from: start }) => {
    const end = start + windowMs - driftMs;
    return passed.filter(({ from, to }) => from >= start && to < end).length > limit;
  }).length;
}

/** Whether a refused call certainly had room in its window, given the calls before it. */
function isNeedless(refused: Call, before: readonly Call[], limit: number, windowMs: number, driftMs: number): boolean {
  const since = refused.from - windowMs - driftMs;
  return before.filter((call) => call.allowed && call.to > since).length < limit;
}

let keys = 0;
export const freshKey = (): string => `{contract-${process.pid}}:rate:${keys++}`;

export async function callOnce(
  { store, clock }: StoreUnderTest,
  key: string,
  limit: number,
  windowMs: number,
): Promise<Call> {
  const from = clock.monotonic();
  const { allowed } = await store.consume(key, limit, windowMs);
  return { from, to: clock.monotonic(), allowed };
}

/** A limit for a second, and how many times as many calls are made. */
type Rate = readonly [limit: number, load: number];

const ratesOfAll: readonly Rate[] = [
  [30, 50],
  [50, 10],
  [100, 2],
  [300, 5],
];

/** What every store guarantees; both implementations run it. */
export function rateLimitStoreContract(setUp: () => StoreUnderTest, rates: readonly Rate[] = ratesOfAll): void {
  let under: StoreUnderTest;
  beforeAll(() => {
    under = setUp();
  });

  it('admits calls up to the limit, refuses the next, and says when to retry', async () => {
    const { store, pass } = under;
    const key = freshKey();
    expect(await store.consume(key, 2, 400)).toEqual({
      allowed: true,
      limit: 2,
      remaining: 1,
      retryAfterMs: 0,
      resetMs: 400,
    });
    await pass(100);
    expect(await store.consume(key, 2, 400)).toMatchObject({ allowed: true, remaining: 0 });
    const no = await store.consume(key, 2, 400);
    expect(no).toMatchObject({ allowed: false, limit: 2, remaining: 0 });
    expect(no.retryAfterMs).toBeGreaterThan(200);
    expect(no.retryAfterMs).toBeLessThanOrEqual(300);
    expect(no.resetMs).toBeGreaterThan(no.retryAfterMs);
    expect(no.resetMs).toBeLessThanOrEqual(400);
    await pass(no.retryAfterMs + under.driftMs);
    expect(await store.consume(key, 2, 400)).toMatchObject({ allowed: true, remaining: 0 });
  });

  it('admits exactly the calls that fit the limit in every window, on any schedule', async () => {
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.record({ do: fc.constant('call' as const), after: fc.nat(12), times: fc.nat(4) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('refund' as const), after: fc.nat(12), times: fc.nat(2) }) },
    );
    const schedule = fc.array(step, { maxLength: 25 });
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 5, max: 40 }),
        schedule,
        async (n, w, steps) => {
          const key = freshKey();
          const calls: Call[] = [];
          for (const { do: what, after, times } of steps) {
            await under.pass(after);
            for (let i = 0; i < times; i++) {
              if (what === 'call') {
                const call = await callOnce(under, key, n, w);
                expect(!call.allowed && isNeedless(call, calls, n, w, under.driftMs)).toBe(false);
                calls.push(call);
                continue;
              }
              await under.store.refund(key);
              // The model drops the newest admitted call; one that has left the window no longer occupies a place.
              const newest = calls.findLastIndex((call) => call.allowed);
              if (newest >= 0) calls.splice(newest, 1);
            }
          }
          expect(overfullWindows(calls, n, w, under.driftMs)).toBe(0);
        },
      ),
      { numRuns: under.numRuns },
    );
  });

  it('treats a refunded call as never made, even while refusing', async () => {
    const { store } = under;
    const key = freshKey();
    await store.refund(key);
    for (let i = 0; i < 3; i++) expect((await store.consume(key, 3, 60_000)).allowed).toBe(true);
    expect((await store.consume(key, 3, 60_000)).allowed).toBe(false);
    await store.refund(key);
    expect((await store.consume(key, 3, 60_000)).allowed).toBe(true);
    expect((await store.consume(key, 3, 60_000)).allowed).toBe(false);
    for (let i = 0; i < 9; i++) await store.refund(key);
    expect(await store.consume(key, 3, 60_000)).toMatchObject({ allowed: true, remaining: 2 });
  });

  it('admits a call of weight n whole or not at all, and says when it will fit', async () => {
    const { store, pass } = under;
    const key = freshKey();
    expect(await store.consume(key, 10, 400, 4)).toMatchObject({ allowed: true, remaining: 6 });
    await pass(100);
    expect(await store.consume(key, 10, 400, 4)).toMatchObject({ allowed: true, remaining: 2 });
    const no = await store.consume(key, 10, 400, 5);
    expect(no).toMatchObject({ allowed: false, limit: 10, remaining: 0 });
    expect(no.retryAfterMs).toBeGreaterThan(200);
    expect(no.retryAfterMs).toBeLessThanOrEqual(300);
    // A call of lower weight may use the remainder.
    expect(await store.consume(key, 10, 400, 2)).toMatchObject({ allowed: true, remaining: 0 });
    await pass(no.retryAfterMs + under.driftMs);
    expect(await store.consume(key, 10, 400, 4)).toMatchObject({ allowed: true, remaining: 0 });
  });

  it('admits a call heavier than the limit when it is alone', async () => {
    const { store, pass } = under;
    const key = freshKey();
    expect(await store.consume(key, 3, 200, 600)).toMatchObject({ allowed: true, remaining: 0 });
    const no = await store.consume(key, 3, 200, 600);
    expect(no.allowed).toBe(false);
    await pass(no.retryAfterMs + under.driftMs);
    expect((await store.consume(key, 3, 200, 600)).allowed).toBe(true);
  });

  it('keeps keys independent', async () => {
    const { store } = under;
    const [one, other] = [freshKey(), freshKey()];
    await store.consume(one, 1, 60_000);
    expect((await store.consume(one, 1, 60_000)).allowed).toBe(false);
    expect((await store.consume(other, 1, 60_000)).allowed).toBe(true);
  });

  it.each([...rates])(
    '%i/s under %i times the load: never exceeded in any second, and at least 99 %% used',
    async (limit, load) => {
      const perMs = (limit * load) / 1_000;
      // Two limits after the first call, two seconds have passed, plus 1 % at most.
      const maxMs = 2_000 / 0.99;
      let quickestMs = Infinity;
      // Another program may briefly occupy the machine, which delays a single measurement; a slow store is slow in
      // all of them.
      for (let attempt = 0; attempt < 4 && quickestMs > maxMs; attempt += 1) {
        const key = freshKey();
        const calls: Promise<Call>[] = [];
        const begin = under.clock.monotonic();
        for (let ms = 0; ms < 2_100; ms = under.clock.monotonic() - begin) {
          while (calls.length < ms * perMs) calls.push(callOnce(under, key, limit, 1_000));
          await under.pass(1);
        }
        const made = await Promise.all(calls);
        expect(overfullWindows(made, limit, 1_000, under.driftMs)).toBe(0);
        const passed = made.filter((call) => call.allowed);
        expect(passed.length).toBeLessThanOrEqual(3 * limit);
        const [first, thirdRound] = [passed[0] as Call, passed[2 * limit]];
        quickestMs = Math.min(quickestMs, (thirdRound ?? { to: Infinity }).to - first.from);
      }
      expect(quickestMs).toBeLessThanOrEqual(maxMs);
    },
  );
}
