import { FixedClock } from '../../test/support/fixed-clock.js';
import { firstIdAt, nodeNumbers, TimeOrderedIds } from './time-ordered-ids.js';

const refusal = expect.objectContaining({ code: 'database_unavailable', retryAfterMs: 1000 }) as Error;

function idsOf(clock: FixedClock, node: number): TimeOrderedIds {
  const ids = new TimeOrderedIds(clock);
  ids.use({ node, fromMs: clock.now(), untilMs: Infinity });
  return ids;
}

describe('TimeOrderedIds', () => {
  it('increase, even within one millisecond and beyond its capacity', () => {
    const ids = idsOf(new FixedClock(), 5);
    let last = 0;
    for (let count = 0; count < 20_000; count += 1) {
      const id = ids.next();
      expect(id > last && Number.isSafeInteger(id)).toBe(true);
      last = id;
    }
  });

  it('differ between nodes that draw in the same milliseconds, however many each draws', () => {
    const clock = new FixedClock();
    const nodes = Array.from({ length: nodeNumbers }, (_none, node) => idsOf(clock, node));
    const drawn = new Set<number>();
    for (let turn = 0; turn < 10; turn += 1) {
      for (const ids of nodes) for (let count = 0; count < 100; count += 1) drawn.add(ids.next());
      clock.advance(1);
    }
    expect(drawn.size).toBe(10 * nodeNumbers * 100);
  });

  it('keep increasing when the clock is set back', () => {
    const clock = new FixedClock();
    const ids = idsOf(clock, 0);
    const before = ids.next();
    clock.advance(-3_600_000);
    expect(ids.next()).toBeGreaterThan(before);
  });

  it('are larger in a later millisecond, whichever node draws them', () => {
    const clock = new FixedClock();
    const nodes = Array.from({ length: 5 }, (_none, node) => idsOf(clock, node));
    let last = 0;
    for (let ms = 0; ms < 1_000; ms += 1) {
      clock.advance(1);
      const drawn = nodes.map((node) => node.next());
      expect(Math.min(...drawn)).toBeGreaterThan(last);
      last = Math.max(...drawn);
    }
  });

  it('are refused without a window and after it, and are unaffected once a leap of the clock is undone', () => {
    const clock = new FixedClock();
    const ids = new TimeOrderedIds(clock);
    expect(() => ids.next()).toThrow(refusal);
    expect(ids.refused).toBe(true);
    ids.use({ node: 1, fromMs: clock.now() + 5, untilMs: clock.now() + 10 });
    expect(ids.refused).toBe(false);
    expect(ids.next()).toBeGreaterThanOrEqual(firstIdAt(clock.now() + 5));
    clock.advance(3_600_000);
    expect(() => ids.next()).toThrow(refusal);
    clock.advance(-3_600_000);
    expect(ids.next()).toBeLessThan(firstIdAt(clock.now() + 10));
  });

  it('all lie within their window, even when more are drawn than it holds', () => {
    const clock = new FixedClock();
    const ids = new TimeOrderedIds(clock);
    const [fromMs, untilMs] = [clock.now(), clock.now() + 10];
    ids.use({ node: 127, fromMs, untilMs });
    const drawn: number[] = [];
    expect(() => {
      for (;;) drawn.push(ids.next());
    }).toThrow(refusal);
    expect(drawn).toHaveLength(10 * 32);
    expect(Math.min(...drawn)).toBeGreaterThanOrEqual(firstIdAt(fromMs));
    expect(Math.max(...drawn)).toBeLessThan(firstIdAt(untilMs));
  });

  it('are safe integers until 2089', () => {
    expect(Number.isSafeInteger(idsOf(new FixedClock(Date.UTC(2089, 0, 1)), 127).next())).toBe(true);
  });

  it('are larger than all ids drawn by versions without node numbers', () => {
    const clock = new FixedClock();
    // Milliseconds since 2020, times 4096, plus a random part.
    const before = (clock.now() - Date.UTC(2020, 0, 1)) * 4096 + 4095;
    clock.advance(1);
    expect(idsOf(clock, 0).next()).toBeGreaterThan(before);
  });
});
