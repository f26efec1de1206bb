import { FixedClock } from '../../test/support/fixed-clock.js';
import { TimeOrderedIds } from './time-ordered-ids.js';

describe('TimeOrderedIds', () => {
  it('grow, also within one millisecond and beyond what it holds', () => {
    const ids = new TimeOrderedIds(new FixedClock());
    let last = 0;
    for (let count = 0; count < 20_000; count += 1) {
      const id = ids.next();
      expect(id > last && Number.isSafeInteger(id)).toBe(true);
      last = id;
    }
  });

  it('grow on when the clock is set back', () => {
    const clock = new FixedClock();
    const ids = new TimeOrderedIds(clock);
    const before = ids.next();
    clock.advance(-3_600_000);
    expect(ids.next()).toBeGreaterThan(before);
  });

  it('of a later millisecond are larger, whichever node draws them', () => {
    const clock = new FixedClock();
    const nodes = Array.from({ length: 5 }, () => new TimeOrderedIds(clock));
    let last = 0;
    for (let ms = 0; ms < 1_000; ms += 1) {
      clock.advance(1);
      const drawn = nodes.map((node) => node.next());
      expect(Math.min(...drawn)).toBeGreaterThan(last);
      last = Math.max(...drawn);
    }
  });

  it('are whole numbers that JavaScript holds exactly until 2089', () => {
    expect(Number.isSafeInteger(new TimeOrderedIds(new FixedClock(Date.UTC(2089, 0, 1))).next())).toBe(true);
  });
});
