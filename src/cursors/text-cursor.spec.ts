import { AppError } from '../errors/app-error.js';
import { readTextCursor, writeTextCursor } from './text-cursor.js';

describe('text cursor', () => {
  it('round-trips', () => {
    for (const position of ['a', '4638873600000.6600000000001', 'x'.repeat(255)])
      expect(readTextCursor('app list', writeTextCursor('app list', position))).toBe(position);
  });

  it('is refused if it belongs to another list, was changed, or is not a cursor', () => {
    const cursor = writeTextCursor('app list', 'position');
    const changed = Buffer.from(Buffer.from(cursor, 'base64url').toString().replace('position', 'positions'));
    for (const wrong of [cursor.slice(1), `${cursor}A`, '', 'x', changed.toString('base64url')])
      expect(() => readTextCursor('app list', wrong)).toThrow(AppError);
    expect(() => readTextCursor('app other', cursor)).toThrow(expect.objectContaining({ code: 'cursor_invalid' }));
  });
});
