import { checkPassword } from './password.js';

test.each([
  ['one character', 'a'],
  ['a blank', ' '],
  ['64 bytes of ASCII', 'a'.repeat(64)],
  ['64 bytes in 16 characters', '😀'.repeat(16)],
  ['NUL and control characters', '\0\u0001\u007f'],
])('%s may be a password', (_, password) => expect(() => checkPassword(password)).not.toThrow());

test.each([
  ['nothing', '', 'password_missing'],
  ['65 bytes of ASCII', 'a'.repeat(65), 'password_too_long'],
  ['64 characters of 65 bytes', `${'a'.repeat(63)}é`, 'password_too_long'],
  ['17 emoji, 68 bytes', '😀'.repeat(17), 'password_too_long'],
  ['a lone high surrogate', 'a\ud800', 'argument_invalid'],
  ['a lone low surrogate', '\udc00a', 'argument_invalid'],
])('%s may not: %s', (_, password, code) => expect(() => checkPassword(password)).toThrow(code));

test('the error never contains the password', () => {
  expect(() => checkPassword('secret'.repeat(20))).toThrow(
    expect.not.objectContaining({ message: expect.stringContaining('secret') }),
  );
});
