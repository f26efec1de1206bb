import { createHash } from 'node:crypto';
import { AppError } from '../errors/app-error.js';

/**
 * Where a list of users continues: after the user with this id, whether or not that user still exists. Opaque to
 * callers and bound to the app: the text is base64url of `position:check`, and the check covers the app.
 */
export function writeCursor(appId: string, afterId: number): string {
  const position = afterId.toString(36);
  return Buffer.from(`${position}:${check(appId, position)}`).toString('base64url');
}

/** @throws AppError cursor_invalid for anything not written by `writeCursor` for this app */
export function readCursor(appId: string, cursor: string): number {
  const [, position, sum] = /^([0-9a-z]{1,11}):([\w-]{16})$/.exec(Buffer.from(cursor, 'base64url').toString()) ?? [];
  const afterId = parseInt(position ?? '', 36);
  if (position === undefined || sum !== check(appId, position) || writeCursor(appId, afterId) !== cursor)
    throw new AppError('cursor_invalid');
  return afterId;
}

function check(appId: string, position: string): string {
  return createHash('sha256').update(`list cursor ${appId} ${position}`).digest('base64url').slice(0, 16);
}
