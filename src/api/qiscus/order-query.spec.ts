import fc from 'fast-check';
import { parseOrderQuery } from './order-query.js';

test.each([
  ['created_at desc nulls last', [{ by: 'id', descending: true }]],
  [
    'email asc, created_at desc',
    [
      { by: 'username', descending: false },
      { by: 'id', descending: true },
    ],
  ],
  ['username asc', [{ by: 'displayName', descending: false }]],
  ['  NAME   Desc  NULLS FIRST ', [{ by: 'displayName', descending: true }]],
  ['updated_at', [{ by: 'modifiedAt', descending: false }]],
])('%j is an order', (text, order) => {
  expect(parseOrderQuery(text)).toEqual(order);
});

test.each([
  '',
  ',',
  'id,',
  'id asc desc',
  'password_hash',
  'constructor',
  '__proto__ asc',
  'id; DROP TABLE users',
  'id nulls',
  'random()',
  'id,id,id,id,id,id',
])('%j is none', (text) => {
  expect(parseOrderQuery(text)).toBeNull();
});

test('returns only known columns, whatever the input', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      for (const { by } of parseOrderQuery(text) ?? [])
        expect(['id', 'username', 'displayName', 'modifiedAt']).toContain(by);
    }),
  );
});
