import { createHash } from 'node:crypto';
import { AppError } from '../errors/app-error.js';

/** More than any position: a name of 255 characters and a few numbers. */
const maxCursorLength = 2_000;

/**
 * Where the answer to a query continues. Opaque to callers and bound to `scope`, which names the app and the query:
 * base64url of a check and the position as JSON.
 */
export function writeQueryCursor(scope: string, position: unknown): string {
  const json = JSON.stringify(position);
  return Buffer.from(`${check(scope, json)}${json}`).toString('base64url');
}

/** @throws AppError cursor_invalid for anything not written by `writeQueryCursor` for this query */
export function readQueryCursor(scope: string, cursor: string): unknown {
  const [, sum, json] =
    cursor.length > maxCursorLength
      ? []
      : (/^([\w-]{16})(.+)$/s.exec(Buffer.from(cursor, 'base64url').toString()) ?? []);
  if (json === undefined || sum !== check(scope, json)) throw new AppError('cursor_invalid');
  const position: unknown = JSON.parse(json);
  if (writeQueryCursor(scope, position) !== cursor) throw new AppError('cursor_invalid');
  return position;
}

function check(scope: string, json: string): string {
  return createHash('sha256').update(`query cursor ${scope} ${json}`).digest('base64url').slice(0, 16);
}
