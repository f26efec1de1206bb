import fc from 'fast-check';
import { beginningOf, foldNickname, maxNicknameKeyLength, nicknameKey } from './nickname-key.js';

describe('nickname keys', () => {
  it.each([
    ['Anna', 'ANNA'],
    ['Straße', 'STRASSE'],
    ['ΟΔΟΣ', 'οδος'],
    ['ÉMILE', 'e\u0301mile'],
    ['ＡＢＣ', 'abc'],
    ['ﬁne', 'FINE'],
    ['a\u00a0b', 'A  \tb'],
    ['  anna ', 'Anna'],
  ])('of %s and %s are the same', (one, other) => {
    expect(nicknameKey(one)).toBe(nicknameKey(other));
  });

  it.each([
    ['Jose', 'José'],
    ['कि', 'की'],
    ['a b', 'ab'],
  ])('of %s and %s differ', (one, other) => {
    expect(nicknameKey(one)).not.toBe(nicknameKey(other));
  });

  it.each([null, '', '  ', '\t'])('of %j are null', (nickname) => {
    expect(nicknameKey(nickname)).toBeNull();
  });

  it('have at most 64 code points, and none of them is half', () => {
    for (const text of ['x'.repeat(255), '😀'.repeat(255), `${'é'.repeat(40)}${'😀'.repeat(40)}`]) {
      const key = nicknameKey(text) as string;
      expect([...key].length).toBeLessThanOrEqual(maxNicknameKeyLength);
      expect(key.isWellFormed()).toBe(true);
    }
  });

  it('begin as the folded beginning of the nickname does', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'B', 'ß', 'Σ', 'İ', 'ﬁ', 'é', '한', '😀', ' ', '\t', 'ǆ') });
    fc.assert(
      fc.property(letters, letters, (beginning, rest) => {
        const prefix = foldNickname(beginning);
        fc.pre(!prefix.endsWith(' ') && prefix !== '');
        expect(nicknameKey(beginning + rest)?.startsWith(beginningOf(prefix).trimEnd())).toBe(true);
      }),
    );
  });
});
