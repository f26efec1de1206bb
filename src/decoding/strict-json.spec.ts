import fc from 'fast-check';
import { parseStrictJson } from './strict-json.js';

const parse = (text: string) => parseStrictJson(Buffer.from(text));
const malformed = expect.objectContaining({ code: 'json_malformed' }) as Error;

describe('parseStrictJson', () => {
  it('reads every JSON as JSON.parse does', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 8 }), fc.constantFrom(0, 2, '\t'), (value, blanks) => {
        const text = JSON.stringify(value, null, blanks);
        fc.pre(!text.includes('__proto__'));
        expect(parse(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  it('refuses a member that is there twice, however it is spelled and wherever it stands', () => {
    fc.assert(
      fc.property(
        fc.string().filter((name) => name !== '__proto__'),
        fc.jsonValue(),
        fc.boolean(),
        (name, value, escaped) => {
          fc.pre(!JSON.stringify(value).includes('__proto__') && (name !== '' || !escaped));
          const once = JSON.stringify(name);
          const code = name.charCodeAt(0).toString(16).padStart(4, '0');
          const again = escaped ? `"\\u${code}${JSON.stringify(name.slice(1)).slice(1)}` : once;
          const member = JSON.stringify(value);
          for (const text of [`{${once}:1,${again}:${member}}`, `[{"in":{${once}:${member},"x y":1,${again}:2}}]`])
            expect(() => parse(text)).toThrow(malformed);
        },
      ),
    );
  });

  it('refuses a number that would become another value, wherever it stands', () => {
    for (const text of ['{"n":1e400}', '[-1e400]', '{"a":[{"n":123e4567}]}'])
      expect(() => parse(text)).toThrow(malformed);
    expect(parse('{"n":1e308,"m":-0.1,"i":9007199254740992}')).toEqual({
      n: JSON.rawJSON('1e308'),
      m: -0.1,
      i: 2 ** 53,
    });
  });

  it('refuses a byte order mark, which others would take for a part of the text', () => {
    expect(() => parse('\ufeff{"a":1}')).toThrow(malformed);
    expect(parse('{"a":"\ufeff"}')).toEqual({ a: '\ufeff' });
  });

  it('is not misled by colons, quotes and braces inside of strings', () => {
    const value = { 'a:b': ':"\\":{,}', 'c"d': ['\\', '":"', '{"x":1}'] };
    expect(parse(JSON.stringify(value))).toEqual(value);
  });

  it.each([['{"__proto__":{"isAdmin":true}}'], ['[{"a":{"__proto__":1}}]'], ['{"__pro\\u0074o__":1}']])(
    'refuses %s',
    (text) => {
      expect(() => parse(text)).toThrow(malformed);
    },
  );

  it('reads 32 levels and no more', () => {
    const nested = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`;
    expect(parse(nested(32))).toBeDefined();
    for (const levels of [33, 2_000, 30_000]) expect(() => parse(nested(levels))).toThrow(malformed);
  });

  it('reads 1,024 members and no more', () => {
    const wide = (members: number) =>
      JSON.stringify(Object.fromEntries(Array.from({ length: members }, (_none, n) => [n, n])));
    expect(parse(wide(1_024))).toHaveProperty('1023', 1_023);
    expect(() => parse(wide(1_025))).toThrow(malformed);
  });

  it('refuses 80,000 members in less than 50 ms', () => {
    const body = Buffer.from(
      JSON.stringify(Object.fromEntries(Array.from({ length: 80_000 }, (_none, n) => [`m${n}`, n]))),
    );
    // The quickest of three: a machine that is busy may be slow once.
    const times = [1, 2, 3].map(() => {
      const begun = performance.now();
      expect(() => parseStrictJson(body)).toThrow(malformed);
      return performance.now() - begun;
    });
    expect(Math.min(...times)).toBeLessThan(50);
  });

  it('refuses bytes that are not UTF-8, and what is not JSON, without repeating it', () => {
    for (const bytes of [[0xff], [0x22, 0xc0, 0xaf, 0x22], [0x22, 0xed, 0xa0, 0x80, 0x22]])
      expect(() => parseStrictJson(Buffer.from(bytes))).toThrow(malformed);
    for (const text of ['', 'canary', '{"canary":}', '{"canary":1,}', '"canary', '{canary:1}', "{'canary':1}", '1 2']) {
      let message = 'nothing was thrown';
      try {
        parse(text);
      } catch (error) {
        message = (error as Error).message;
      }
      expect(message).toMatch(/^json_malformed: /);
      expect(message).not.toContain('canary');
    }
  });

  it('says where the body breaks', () => {
    expect(() => parse('{"a":1,}')).toThrow('Unexpected character at position 7');
  });
});
