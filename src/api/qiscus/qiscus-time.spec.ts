import { parseSecond, toQiscusTime } from './qiscus-time.js';

test('a time without a fraction is read as UTC', () => {
  expect(parseSecond('2026-02-28 23:59:59')).toBe(Date.UTC(2026, 1, 28, 23, 59, 59));
});

test.each([
  '',
  '2026-02-31 00:00:00',
  '2026-13-01 00:00:00',
  '2026-01-01 24:00:00',
  '2026-01-01T00:00:00',
  '2026-1-1 0:0:0',
])('%j is none', (text) => {
  expect(parseSecond(text)).toBeNull();
});

test('a time has six fractional digits', () => {
  expect(toQiscusTime(Date.UTC(2025, 10, 26, 12, 0, 1, 123))).toBe('2025-11-26T12:00:01.123000Z');
});
