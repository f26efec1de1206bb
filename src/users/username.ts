import { AppError } from '../errors/app-error.js';

export const maxUsernameLength = 64;
const legal = /^[A-Za-z0-9_.-]+$/;
/** The longest name any dialect may create. */
const maxStoredLength = 255;
/** Tested before folding: some non-ASCII characters fold to these (the Kelvin sign to k). */
const storable = /^[A-Za-z0-9_.@-]+$/;
const dots = new Set(['.', '..']);
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * The one form in which a name is stored, compared and returned: lower case. Names are ASCII by rule, so folding is
 * idempotent and the same on every engine and in every locale.
 */
export function foldUsername(name: string): string {
  return name.toLowerCase();
}

/**
 * The folded name for a new user of the Agora dialect: 1 to 64 of `a-z A-Z 0-9 _ - .` (Agora, "Common parameters"). `.`
 * and `..` are refused although their characters are legal: HTTP clients remove such segments from a path, so these
 * users could never be addressed. Names that look like a uuid are refused too: a user named like another's uuid would
 * receive what is meant for that one.
 * @throws AppError username_illegal, username_too_long
 */
export function checkUsername(name: string): string {
  if (name.length > maxUsernameLength) throw new AppError('username_too_long', { limit: maxUsernameLength });
  if (!legal.test(name) || isReserved(name)) throw new AppError('username_illegal', { detail: name });
  return foldUsername(name);
}

/**
 * The folded name for a new user of the Qiscus dialect, whose names are often addresses: 1 to 255 of `a-z A-Z 0-9 _ - .
 * @` ("cannot contains symbol, except .-_@"). `.`, `..` and uuids are refused as above.
 * @throws AppError username_illegal, username_too_long
 */
export function checkLongUsername(name: string): string {
  if (name.length > maxStoredLength) throw new AppError('username_too_long', { limit: maxStoredLength });
  if (!storable.test(name) || isReserved(name)) throw new AppError('username_illegal', { detail: name });
  return foldUsername(name);
}

/** Whether a text has the form of a uuid, in any case. No new name may have it; a database may hold older ones. */
export function isUuid(text: string): boolean {
  return uuid.test(text);
}

/** The folded name if any dialect could have created such a user, else null: a look-up would be pointless. */
export function usernameKey(name: string): string | null {
  return name.length <= maxStoredLength && storable.test(name) ? foldUsername(name) : null;
}

function isReserved(name: string): boolean {
  return dots.has(name) || isUuid(name);
}
