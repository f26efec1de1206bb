import { FixedClock } from '../../test/support/fixed-clock.js';
import { forgivenAfterMs, maxOversteps, ReadControl } from './read-control.js';

const { jest } = import.meta;

describe('reading from a client', () => {
  const clock = new FixedClock();
  let reads: boolean;
  let control: ReadControl;
  beforeEach(() => {
    jest.useFakeTimers();
    reads = true;
    control = new ReadControl({ pause: () => void (reads = false), resume: () => void (reads = true) }, clock);
  });
  afterEach(() => jest.useRealTimers());

  it('is paused while there is any reason to', () => {
    control.pause();
    control.pause();
    control.resume();
    expect(reads).toBe(false);
    control.resume();
    expect(reads).toBe(true);
  });

  it('always resumes once the closing handshake has begun', () => {
    control.pause();
    control.release();
    expect(reads).toBe(true);
    control.pause();
    expect(reads).toBe(true);
  });

  it('resumes no earlier than the client may send again, and soon after', () => {
    control.slowDown(700);
    control.slowDown(5_000);
    jest.advanceTimersByTime(699);
    expect(reads).toBe(false);
    jest.advanceTimersByTime(501);
    expect(reads).toBe(true);
  });

  it('tolerates a few violations in a row, counts frames already sent as the same one, and forgives all after a pause', () => {
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
