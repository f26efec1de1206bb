import { outlivesEpoch } from './token-epoch.js';

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
