import { FixedClock } from '../../test/support/fixed-clock.js';
import { MemoryRateLimitStore } from './memory-rate-limit.store.js';
import { rateLimitStoreContract } from './rate-limit.store.contract.js';

describe('MemoryRateLimitStore', () => {
  rateLimitStoreContract(() => {
    const clock = new FixedClock();
    const store = new MemoryRateLimitStore(clock);
    return { store, clock, pass: (ms) => clock.advance(ms), driftMs: 0, numRuns: 1_000 };
  });

  it('answers without a promise', () => {
    expect(new MemoryRateLimitStore(new FixedClock()).consume('k', 1, 1_000)).not.toBeInstanceOf(Promise);
  });

  it('evicts idle keys as new ones arrive', () => {
    const clock = new FixedClock();
    const store = new MemoryRateLimitStore(clock);
    for (let i = 0; i < 20_000; i++) {
      store.consume(`k${i}`, 1, 1_000);
      clock.advance(1);
    }
    expect(store.size).toBeLessThan(3_000);
  });

  it('holds at most 100,000 keys, and evicts the oldest beyond that', () => {
    const store = new MemoryRateLimitStore(new FixedClock());
    for (let i = 0; i < 100_100; i++) store.consume(`k${i}`, 1, 1_000);
    expect(store.size).toBe(100_000);
    expect(store.consume('k100', 1, 1_000).allowed).toBe(false);
    expect(store.consume('k0', 1, 1_000).allowed).toBe(true);
  });
});
