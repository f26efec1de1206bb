import { createHash } from 'node:crypto';
import { AppError } from '../errors/app-error.js';

/** Where the list of online users continues: after this name. Opaque and bound to the app, like the cursor of users. */
export function writeOnlineCursor(appId: string, afterUsername: string): string {
  return Buffer.from(`${afterUsername}:${check(appId, afterUsername)}`).toString('base64url');
}

/** @throws AppError cursor_invalid for anything not written by `writeOnlineCursor` for this app */
export function readOnlineCursor(appId: string, cursor: string): string {
  const [, username, sum] = /^([^:]{1,255}):([\w-]{16})$/.exec(Buffer.from(cursor, 'base64url').toString()) ?? [];
  if (username === undefined || sum !== check(appId, username) || writeOnlineCursor(appId, username) !== cursor)
    throw new AppError('cursor_invalid');
  return username;
}

function check(appId: string, username: string): string {
  return createHash('sha256').update(`online cursor ${appId} ${username}`).digest('base64url').slice(0, 16);
}
