import fc from 'fast-check';
import { epochOfForcedLogout, epochOfRevocation, isForOwner, outlivesEpoch } from './token-epoch.js';

test.each([
  [0, 0, true],
  [1_767_225_600_123, 1_767_225_600_123, true],
  [0, 1_767_225_600_123, false],
  [1_767_225_600_123, 1_767_225_600_124, false],
  [1_767_225_600_124, 1_767_225_600_123, false],
])('a JWT of epoch %d under the epoch %d: %s', (epoch, tokenEpoch, expected) => {
  expect(outlivesEpoch({ by: 'rollcall', epoch }, tokenEpoch)).toBe(expected);
});

test.each([
  ['a user never revoked takes any', 1, 0, true],
  ['the second before the epoch is refused', 1_767_225_599, 1_767_225_600_500, false],
  ['the second of the epoch is refused, as it may be the earlier half', 1_767_225_600, 1_767_225_600_500, false],
  ['the second of an epoch on the full second is refused', 1_767_225_600, 1_767_225_600_000, false],
  ['the next second is good', 1_767_225_601, 1_767_225_600_999, true],
])('AccessToken2: %s', (_, atSeconds, tokenEpoch, expected) => {
  expect(outlivesEpoch({ by: 'agora', atSeconds }, tokenEpoch)).toBe(expected);
});

const second = 1_767_225_600;
const agora = (atSeconds: number, tokenEpoch: number) => outlivesEpoch({ by: 'agora', atSeconds }, tokenEpoch);

describe.each([0, 1, 500, 999])('at millisecond %d of a second', (ms) => {
  const now = second * 1000 + ms;

  it('a forced logout ends tokens of an earlier second, and accepts those of the same second', () => {
    const epoch = epochOfForcedLogout(now, 0);
    expect([second - 1, second, second + 1].map((at) => agora(at, epoch))).toEqual([false, true, true]);
    expect(outlivesEpoch({ by: 'rollcall', epoch: 0 }, epoch)).toBe(false);
  });

  it('a revocation also ends tokens of the same second', () => {
    const epoch = epochOfRevocation(now, 0);
    expect([second - 1, second, second + 1].map((at) => agora(at, epoch))).toEqual([false, false, true]);
  });

  it('a forced logout does not soften a revocation of the same second', () => {
    for (const before of [second * 1000, now])
      expect(agora(second, epochOfForcedLogout(now, epochOfRevocation(before, 0)))).toBe(false);
  });

  it('a forced logout after a revocation in the previous second accepts only tokens of its own second', () => {
    for (const before of [0, 1, 500, 998]) {
      const epoch = epochOfForcedLogout(now, epochOfRevocation((second - 1) * 1000 + before, 0));
      expect([second - 1, second].map((at) => agora(at, epoch))).toEqual([false, true]);
    }
    // The last millisecond leaves no room, so for that second it is as strict as a revocation.
    const epoch = epochOfForcedLogout(now, epochOfRevocation(second * 1000 - 1, 0));
    expect([second, second + 1].map((at) => agora(at, epoch))).toEqual([false, true]);
  });

  it('a revocation after a forced logout of the same second is strict', () => {
    expect(agora(second, epochOfRevocation(now, epochOfForcedLogout(now, 0)))).toBe(false);
  });

  it('each of a thousand forced logouts in one second moves the epoch, and accepts tokens of that second', () => {
    let epoch = 0;
    for (let times = 0; times < 1000; times += 1) {
      const next = epochOfForcedLogout(now, epoch);
      expect(next).toBeGreaterThan(epoch);
      epoch = next;
    }
    expect([second - 1, second].map((at) => agora(at, epoch))).toEqual([false, true]);
  });

  it('the epoch never becomes more lenient when the clock is set back', () => {
    const epoch = epochOfRevocation(now + 60_000, 0);
    for (const next of [epochOfForcedLogout(now, epoch), epochOfRevocation(now, epoch)]) expect(next).toBe(epoch + 1);
  });
});

describe('a token that names its user', () => {
  const times = fc.integer({ min: second * 1000, max: second * 1000 + 4000 });
  const secondOf = (ms: number) => Math.floor(ms / 1000);

  it('opens the account of the current owner of the name, never one registered later, even in the same second', () => {
    fc.assert(
      fc.property(times, times, times, (issued, released, waited) => {
        const created = released + (waited - second * 1000);
        // It is refused if its second allows that it was issued before the registration.
        expect(isForOwner(secondOf(issued), created, released)).toBe(secondOf(issued) > secondOf(created));
        // Whichever of two clocks is behind.
        expect(isForOwner(secondOf(issued), released, created)).toBe(secondOf(issued) > secondOf(created));
      }),
    );
  });

  it('opens the account of the first owner from the second of the registration on', () => {
    fc.assert(
      fc.property(times, times, (issued, created) => {
        expect(isForOwner(secondOf(issued), created, null)).toBe(secondOf(issued) >= secondOf(created));
      }),
    );
  });
});
