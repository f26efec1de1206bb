import fc from 'fast-check';
import { numberTextOf, parseExactly, plainNumberOf } from './exact-numbers.js';

const texts = [
  ...['9007199254740992', '9007199254740993', '1688888483063664642', '-9223372036854775808', '123456789012345678901'],
  ...['0', '-0', '-0.0', '1.0', '1.50', '1E5', '1e5', '1e+5', '100000', '0.1', '0.1000000000000000055', '1e-400'],
  ...['5e-324', '1e308', '1.7976931348623157e308', '0.30000000000000004', '3.141592653589793238462643'],
];

describe('parseExactly', () => {
  it.each(texts)('writes %s as it came, wherever it stood', (text) => {
    for (const json of [text, `[${text}]`, `{"a":{"b":[0,${text}]},"c":"${text}"}`])
      expect(JSON.stringify(parseExactly(json))).toBe(json);
  });

  it('reads what JavaScript has as JSON.parse does', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(parseExactly(JSON.stringify(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it('changes no digit of any number', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^-?(0|[1-9]\d{0,25})(\.\d{1,25})?([eE][+-]?\d{1,2})?$/), (text) => {
        expect(JSON.stringify(parseExactly(`{"n":${text}}`))).toBe(`{"n":${text}}`);
      }),
    );
  });
});

it.each<[string, string | undefined, number | undefined]>([
  ['628123456789', '628123456789', 628123456789],
  ['9007199254740993', '9007199254740993', undefined],
  ['9007199254740992', '9007199254740992', 9007199254740992],
  ['9007199254740993.0', undefined, undefined],
  ['6.28123456789E11', '628123456789', 628123456789],
  ['1.0', '1', 1],
  ['1.50', '1.5', 1.5],
  ['0.1000000000000000055', undefined, undefined],
  ['1.00000000000000000001', undefined, undefined],
  ['1e-400', undefined, undefined],
])('%s is the text %s and the number %s', (written, text, number) => {
  const value = parseExactly(written);
  expect([numberTextOf(value), plainNumberOf(value)]).toEqual([text, number]);
});

it.each(['1', true, null, undefined, {}, [], { rawJSON: '1' }])('%j is no number', (value) => {
  expect([numberTextOf(value), plainNumberOf(value)]).toEqual([undefined, undefined]);
});
