import { validate, version } from 'uuid';
import { FixedClock } from '../../test/support/fixed-clock.js';
import { TimeBasedUuids } from './time-based-uuids.js';

/** In units of 100 ns since 1582. */
const timeOf = (uuid: string): bigint => {
  const [low = '', middle = '', high = ''] = uuid.split('-');
  return BigInt(`0x${high.slice(1)}${middle}${low}`);
};

describe('TimeBasedUuids', () => {
  it('are of version 1 and contain the time of their creation', () => {
    const clock = new FixedClock();
    const uuid = new TimeBasedUuids(clock).next();
    expect([validate(uuid), version(uuid)]).toEqual([true, 1]);
    expect(Number(timeOf(uuid) / 10_000n) - 12_219_292_800_000).toBe(clock.now());
  });

  it('increase, even beyond the capacity of one millisecond and when the clock is set back', () => {
    const clock = new FixedClock();
    const uuids = new TimeBasedUuids(clock);
    let last = 0n;
    for (let count = 0; count < 25_000; count += 1) {
      if (count === 12_000) clock.advance(-3_600_000);
      const time = timeOf(uuids.next());
      expect(time > last).toBe(true);
      last = time;
    }
  });

  it('differ between two processes at the same time', () => {
    const clock = new FixedClock();
    expect(new TimeBasedUuids(clock).next()).not.toBe(new TimeBasedUuids(clock).next());
  });
});
