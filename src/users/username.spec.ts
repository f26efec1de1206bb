import fc from 'fast-check';
import type { AppError } from '../errors/app-error.js';
import { checkLongUsername, checkUsername, foldUsername, isUuid, usernameKey } from './username.js';

const charset = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.';
const uuid = '5d6c5f58-a650-4cdf-9399-5f7b57da51ba';
const legal = fc
  .string({ unit: fc.constantFrom(...charset), minLength: 1, maxLength: 64 })
  .filter((name) => name !== '.' && name !== '..' && !isUuid(name));

describe('usernames', () => {
  it('may have 1 to 64 of the allowed characters, and are folded to lower case', () => {
    fc.assert(
      fc.property(legal, (name) => {
        const folded = checkUsername(name);
        expect(folded).toBe(name.toLowerCase());
        expect(checkUsername(folded)).toBe(folded);
        expect(checkUsername(name.toUpperCase())).toBe(folded);
        expect(usernameKey(name)).toBe(folded);
      }),
    );
  });

  it('fold idempotently', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (name) =>
        expect(foldUsername(foldUsername(name))).toBe(foldUsername(name)),
      ),
    );
  });

  it('allow exactly the documented character set, over the first 70,000 code points', () => {
    const accepted: string[] = [];
    const others = new Set<string>();
    for (let code = 0; code < 70_000; code += 1) {
      const name = `a${String.fromCodePoint(code)}a`;
      try {
        checkUsername(name);
        accepted.push(String.fromCodePoint(code));
      } catch (error) {
        others.add((error as AppError).code);
      }
    }
    expect([...others]).toEqual(['username_illegal']);
    expect(accepted.sort()).toEqual([...charset].sort());
  });

  it('fold to the same name only if they differ in case alone', () => {
    // The Kelvin sign folds to k, and the dotted İ to two characters: neither may ever get as far as folding.
    for (const name of ['\u212Aelvin', '\u0130', 'stra\u00dfe', '\uFF41', 'a\u0301'])
      expect(() => checkUsername(name)).toThrow(expect.objectContaining({ code: 'username_illegal' }) as Error);
  });

  it.each(['', '.', '..', ' ', 'a b', 'a\n', '\0', 'a@b', 'a/b', 'ü', uuid, uuid.toUpperCase()])(
    'refuse %j',
    (name) => {
      expect(() => checkUsername(name)).toThrow(
        expect.objectContaining({ code: 'username_illegal', detail: name }) as Error,
      );
    },
  );

  it.each([uuid, uuid.toUpperCase(), '.', '..', 'a b'])('refuse %j in their long form too', (name) => {
    expect(() => checkLongUsername(name)).toThrow(expect.objectContaining({ code: 'username_illegal' }) as Error);
  });

  it.each([uuid.slice(1), `${uuid}0`, uuid.replaceAll('-', ''), `g${uuid.slice(1)}`])(
    'may look almost like a uuid: %j',
    (name) => {
      expect(checkUsername(name)).toBe(name);
    },
  );

  it('are too long with 65 characters of any kind', () => {
    for (const name of ['a'.repeat(65), '!'.repeat(65)])
      expect(() => checkUsername(name)).toThrow(expect.objectContaining({ code: 'username_too_long' }) as Error);
  });

  it('can be looked up if another dialect created them, with @ and up to 255 characters', () => {
    expect(usernameKey('Guest@Example.com')).toBe('guest@example.com');
    expect(usernameKey('a'.repeat(255))).toBe('a'.repeat(255));
    for (const name of ['', 'a'.repeat(256), 'a b', '\u212A', 'a\0', '%']) expect(usernameKey(name)).toBeNull();
  });
});
