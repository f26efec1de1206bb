import { createHash } from 'node:crypto';
import type { App } from '../apps/app.js';
import { deriveSigningKey, SigningKeys } from './signing-key.js';

const certificate = 'a'.repeat(32);
const secretOf = (appId: string, text: string) => deriveSigningKey(appId, text).secret.export().toString('hex');

test('the same app and certificate give the same key on every node', () => {
  expect(secretOf('one', certificate)).toBe(secretOf('one', certificate));
  expect(deriveSigningKey('one', certificate).kid).toBe(deriveSigningKey('one', certificate).kid);
});

test('another app, or another certificate, gives another key and another kid', () => {
  const keys = [
    deriveSigningKey('one', certificate),
    deriveSigningKey('two', certificate),
    deriveSigningKey('one', 'b'),
  ];
  expect(new Set(keys.map(({ secret }) => secret.export().toString('hex'))).size).toBe(3);
  expect(new Set(keys.map(({ kid }) => kid)).size).toBe(3);
});

test('a key has 256 bits, and its kid is 16 hex digits that are not part of it or of the certificate', () => {
  const { kid, secret } = deriveSigningKey('one', certificate);
  const bytes = secret.export();
  expect(bytes).toHaveLength(32);
  expect(kid).toMatch(/^[0-9a-f]{16}$/);
  expect(bytes.toString('hex')).not.toContain(kid);
  expect(createHash('sha256').update(certificate).digest('hex')).not.toContain(kid);
});

test('the first certificate signs and all of them verify', () => {
  const keys = new SigningKeys();
  const app = { id: 'one', certificates: ['new', 'old'] } as unknown as App;
  expect(keys.of(app).map((key) => key.certificate)).toEqual(['new', 'old']);
  expect(keys.first(app)).toBe(keys.of(app)[0]);
});

test('an app without a certificate has no key', () => {
  const app = { id: 'one', certificates: [] } as unknown as App;
  expect(new SigningKeys().of(app)).toEqual([]);
  expect(() => new SigningKeys().first(app)).toThrow('internal');
});
