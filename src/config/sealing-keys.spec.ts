import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadEnv } from './env.js';
import { parseSealingKeys, readSealingKeys } from './sealing-keys.js';

const key = Buffer.alloc(32, 0xfb);
const other = Buffer.alloc(32, 7);
const forms = [
  key.toString('hex'),
  key.toString('hex').toUpperCase(),
  key.toString('base64'),
  key.toString('base64url'),
];

test.each(forms)('%s is a key', (text) => {
  expect(parseSealingKeys(text)).toEqual([key]);
});

test('several keep their order, and `none` is allowed only in first place', () => {
  expect(parseSealingKeys(`${forms[0]}, ${other.toString('base64')}`)).toEqual([key, other]);
  expect(parseSealingKeys(`none,${forms[2]}`)).toEqual([null, key]);
  expect(parseSealingKeys('')).toEqual([]);
  expect(() => parseSealingKeys(`${forms[0]},none`)).toThrow(/must be keys of 32 bytes/);
});

test.each(['canary', 'a'.repeat(63), 'a'.repeat(65), Buffer.alloc(31).toString('base64'), `${forms[2]}!`])(
  '%s is not a key, and the error does not repeat it',
  (text) => {
    expect(() => parseSealingKeys(text)).toThrow(/^must be keys of 32 bytes/);
    expect(() => loadEnv({ SEALING_KEY: text })).toThrow(/SEALING_KEY must be keys/);
    expect(() => loadEnv({ SEALING_KEY: text })).not.toThrow(new RegExp(text.replaceAll(/[+!]/g, '.')));
  },
);

test('a file has one key per line, and excludes the variable', () => {
  const folder = mkdtempSync(join(tmpdir(), 'rollcall-test-'));
  const file = join(folder, 'key');
  try {
    writeFileSync(file, `${forms[2]}\n${other.toString('hex')}\n`);
    expect(readSealingKeys(file)).toEqual([key, other]);
    expect(loadEnv({ SEALING_KEY_FILE: file }).sealingKeysOfFile).toEqual([key, other]);
    expect(() => loadEnv({ SEALING_KEY_FILE: file, SEALING_KEY: forms[0] as string })).toThrow(/are both set/);
    writeFileSync(file, '\n');
    expect(() => readSealingKeys(file)).toThrow(/^must name a file with keys/);
    writeFileSync(file, 'canary');
    expect(() => readSealingKeys(file)).toThrow(/^must name a file with keys/);
  } finally {
    rmSync(folder, { recursive: true });
  }
  expect(() => readSealingKeys(file)).toThrow(/can be read \(ENOENT\)/);
});
