import fc from 'fast-check';
import { AppError } from '../errors/app-error.js';
import { readQueryCursor, writeQueryCursor } from './query-cursor.js';

describe('query cursor', () => {
  it('comes back as it was, and needs no escaping in a URL', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 64 }), fc.maxSafeNat(), (key, tie) => {
        const cursor = writeQueryCursor('app query', [key, tie]);
        expect(cursor).toMatch(/^[\w-]+$/);
        expect(readQueryCursor('app query', cursor)).toEqual([key, tie]);
      }),
    );
  });

  it('is refused when it is of another query, changed, or none', () => {
    const cursor = writeQueryCursor('app query', ['position', 1]);
    const changed = Buffer.from(Buffer.from(cursor, 'base64url').toString().replace('position', 'positions'));
    for (const wrong of [cursor.slice(1), `${cursor}A`, '', 'x', 'x'.repeat(5_000), changed.toString('base64url')])
      expect(() => readQueryCursor('app query', wrong)).toThrow(AppError);
    expect(() => readQueryCursor('app other', cursor)).toThrow(expect.objectContaining({ code: 'cursor_invalid' }));
  });

  it('is nothing that anybody could think of', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.base64String(), fc.string({ unit: 'binary' })), (text) => {
        expect(() => readQueryCursor('app', text)).toThrow(AppError);
      }),
    );
  });
});
