import { FixedClock } from '../../test/support/fixed-clock.js';
import { forgivenAfterMs, maxOversteps, ReadControl } from './read-control.js';

const { jest } = import.meta;

describe('whether a client is read', () => {
  const clock = new FixedClock();
  let reads: boolean;
  let control: ReadControl;
  beforeEach(() => {
    jest.useFakeTimers();
    reads = true;
    control = new ReadControl({ pause: () => void (reads = false), resume: () => void (reads = true) }, clock);
  });
  afterEach(() => jest.useRealTimers());

  it('not while anybody has a reason', () => {
    control.pause();
    control.pause();
    control.resume();
    expect(reads).toBe(false);
    control.resume();
    expect(reads).toBe(true);
  });

  it('always once its goodbye is awaited', () => {
    control.pause();
    control.release();
    expect(reads).toBe(true);
    control.pause();
    expect(reads).toBe(true);
  });

  it('not before it may send again, and soon after', () => {
    control.slowDown(700);
    control.slowDown(5_000);
    jest.advanceTimersByTime(699);
    expect(reads).toBe(false);
    jest.advanceTimersByTime(501);
    expect(reads).toBe(true);
  });

  it('too often in a row is too often; what it had sent already is the same time, and a pause makes up for all', () => {
    const oversteps = (times: number): boolean[] =>
      Array.from({ length: times }, () => {
        const mayStay = control.overstep();
        control.slowDown(100);
        expect(control.overstep()).toBe(true);
        jest.advanceTimersByTime(600);
        clock.advance(600);
        return mayStay;
      });
    expect(oversteps(maxOversteps)).not.toContain(false);
    clock.advance(forgivenAfterMs);
    expect(oversteps(maxOversteps)).not.toContain(false);
    expect(control.overstep()).toBe(false);
  });
});
