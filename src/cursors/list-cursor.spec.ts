import fc from 'fast-check';
import { readCursor, writeCursor } from './list-cursor.js';

const ids = fc.maxSafeNat();
const invalid = expect.objectContaining({ code: 'cursor_invalid' }) as Error;

describe('list cursors', () => {
  it('decode to the id they encode, and need no escaping in a URL', () => {
    fc.assert(
      fc.property(fc.uuid(), ids, (app, id) => {
        const cursor = writeCursor(app, id);
        expect(cursor).toMatch(/^[\w-]+$/);
        expect(readCursor(app, cursor)).toBe(id);
      }),
    );
  });

  it('are not valid for another app', () => {
    fc.assert(
      fc.property(fc.uuid(), fc.uuid(), ids, (app, other, id) => {
        fc.pre(app !== other);
        expect(() => readCursor(other, writeCursor(app, id))).toThrow(invalid);
      }),
    );
  });

  it('are refused if tampered with in any way', () => {
    fc.assert(
      fc.property(fc.uuid(), ids, fc.nat(), fc.constantFrom(...'ABCxyz019-_=.%'), (app, id, at, character) => {
        const cursor = writeCursor(app, id);
        const index = at % cursor.length;
        const changed = cursor.slice(0, index) + character + cursor.slice(index + 1);
        fc.pre(changed !== cursor);
        expect(() => readCursor(app, changed)).toThrow(invalid);
        expect(() => readCursor(app, cursor + character)).toThrow(invalid);
        expect(() => readCursor(app, cursor.slice(0, index))).toThrow(invalid);
      }),
    );
  });

  it('do not decode from arbitrary text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.base64String(), fc.string({ unit: 'binary' })), (text) => {
        expect(() => readCursor('app', text)).toThrow(invalid);
      }),
    );
  });
});
