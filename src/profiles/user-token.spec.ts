import type { App } from '../apps/app.js';
import { deriveRefreshToken, deriveUserToken, hashUserToken, isUserToken } from './user-token.js';

const app = { tokenSecret: 'ab'.repeat(32) } as App;
const other = { tokenSecret: 'cd'.repeat(32) } as App;

test('is the same for the same app, user and version, and different for any other', () => {
  const token = deriveUserToken(app, 'uuid', 0);
  expect(token).toBe(deriveUserToken(app, 'uuid', 0));
  expect(isUserToken(token)).toBe(true);
  const others = [
    deriveUserToken(other, 'uuid', 0),
    deriveUserToken(app, 'uuid2', 0),
    deriveUserToken(app, 'uuid', 1),
    deriveRefreshToken(app, 'uuid', 0).slice(0, 20),
  ];
  expect(new Set([token, ...others]).size).toBe(5);
});

test('every character of the alphabet is equally likely', () => {
  const counts = new Map<string, number>();
  const tokens = 5_000;
  for (let version = 0; version < tokens; version += 1)
    for (const letter of deriveUserToken(app, 'uuid', version)) counts.set(letter, (counts.get(letter) ?? 0) + 1);
  expect(counts.size).toBe(62);
  const mean = (tokens * 20) / 62;
  for (const count of counts.values()) expect(Math.abs(count - mean) / mean).toBeLessThan(0.15);
});

test('the stored value is not a token', () => {
  expect(hashUserToken(deriveUserToken(app, 'uuid', 0))).toMatch(/^[\w-]{43}$/);
});
