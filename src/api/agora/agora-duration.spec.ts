import { readDuration } from './agora-duration.js';

describe('durations', () => {
  const hourMs = 3_600_000;

  test.each([
    ['7d', 7 * 24 * hourMs],
    ['36h', 36 * hourMs],
    ['90s', 90_000],
    ['PT30M', hourMs / 2],
    ['P1DT2H', 26 * hourMs],
    ['P2W', 14 * 24 * hourMs],
  ])('%s is %i ms', (text, ms) => expect(readDuration(text)).toBe(ms));

  test.each(['', '7', 'd', '0d', '-1d', '1.5h', 'P', 'PT', 'PT0S', '7 d', '1y', 'P1M'])('%s is none', (text) =>
    expect(readDuration(text)).toBeNull(),
  );
});
