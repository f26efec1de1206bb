import { decoderFor, pairsOf, utf8 } from './text.js';

it.each<[string, string | undefined]>([
  ['', 'utf-8'],
  ['application/json', 'utf-8'],
  ['application/json; charset=UTF-8', 'utf-8'],
  ['text/plain;charset="iso-8859-1"', 'windows-1252'],
  ['application/x-www-form-urlencoded; charset=shift_jis', 'shift_jis'],
  ['application/json; charset=utf-16', undefined],
  ['application/json; charset=utf-16be', undefined],
  ['application/json; charset=iso-2022-jp', undefined],
  ['application/json; charset=utf-7', undefined],
  ['application/json; charset=nonsense', undefined],
])('%j is read as %s', (type, encoding) => {
  expect(decoderFor(type)?.encoding).toBe(encoding);
});

describe('pairsOf', () => {
  const pairs = (written: string, type = '') => pairsOf(written, decoderFor(type) ?? utf8);

  it.each<[string, [string, string][]]>([
    ['', []],
    ['&&', []],
    ['a', [['a', '']]],
    ['a=1&a=2&=3', [['a', '1'], ['a', '2'], ['', '3']]], // prettier-ignore
    ['a=b=c', [['a', 'b=c']]],
    ['user_ids%5B%5D=a+b%2Bc', [['user_ids[]', 'a b+c']]],
    ['p=100%&q=%zz%4', [['p', '100%'], ['q', '%zz%4']]], // prettier-ignore
    ['e=%C3%A9', [['e', 'é']]],
    [Buffer.from('e=é').toString('latin1'), [['e', 'é']]],
  ])('reads %j', (written, expected) => {
    expect(pairs(written)).toEqual(expected);
  });

  it.each(['e=%E9', '%ff=e', 'e=\xe9', 'e=%C3', 'e=%ED%A0%80', 'e=%C0%AF'])(
    'refuses %j, which is not UTF-8',
    (written) => {
      expect(() => pairs(written)).toThrow('not valid');
    },
  );

  it('reads other charsets where they are named', () => {
    expect(pairs('e=%E9', 'text/plain; charset=iso-8859-1')).toEqual([['e', 'é']]);
    expect(pairs('e=%83A', 'text/plain; charset=shift_jis')).toEqual([['e', 'ア']]);
  });
});
