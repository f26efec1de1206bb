import { createHash } from 'node:crypto';
import { AppError } from '../errors/app-error.js';

/**
 * Where a list ordered by text continues. Opaque to callers and bound to `scope`, which names the app and the list:
 * base64url of `position:check`.
 */
export function writeTextCursor(scope: string, position: string): string {
  return Buffer.from(`${position}:${check(scope, position)}`).toString('base64url');
}

/** @throws AppError cursor_invalid for anything not written by `writeTextCursor` for this list */
export function readTextCursor(scope: string, cursor: string): string {
  const [, position, sum] = /^([^:]{1,255}):([\w-]{16})$/.exec(Buffer.from(cursor, 'base64url').toString()) ?? [];
  if (position === undefined || sum !== check(scope, position) || writeTextCursor(scope, position) !== cursor)
    throw new AppError('cursor_invalid');
  return position;
}

function check(scope: string, position: string): string {
  return createHash('sha256').update(`text cursor ${scope} ${position}`).digest('base64url').slice(0, 16);
}
