import { AppError } from '../errors/app-error.js';

export const maxUsernameLength = 64;
const legal = /^[A-Za-z0-9_.-]+$/;
/** The longest name that any dialect may create. */
const maxStoredLength = 255;
/** Tested before the name is folded: outside of ASCII, other characters fold to these (the Kelvin sign to k). */
const storable = /^[A-Za-z0-9_.@-]+$/;
const dots = new Set(['.', '..']);
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * The one form in which a name is stored, compared and answered: lower case. Names are ASCII by rule, so folding is
 * the same on every engine and in every locale, and folding twice changes nothing.
 */
export function foldUsername(name: string): string {
  return name.toLowerCase();
}

/**
 * The folded name of a user to be made through the Agora dialect: 1 to 64 of `a-z A-Z 0-9 _ - .`
 * (Agora, "Common parameters"). `.` and `..` are refused although their characters are legal: HTTP clients remove
 * such segments from a path, so nobody could ever address these users. So is what has the form of a uuid: a user called
 * as another's uuid would be hit by what is meant for that one.
 * @throws AppError username_illegal, username_too_long
 */
export function checkUsername(name: string): string {
  if (name.length > maxUsernameLength) throw new AppError('username_too_long', { limit: maxUsernameLength });
  if (!legal.test(name) || isReserved(name)) throw new AppError('username_illegal', { detail: name });
  return foldUsername(name);
}

/**
 * The folded name of a user to be made through the Qiscus dialect, whose names are often addresses: 1 to 255 of
 * `a-z A-Z 0-9 _ - . @` ("cannot contains symbol, except .-_@"). `.`, `..` and uuids are refused as above.
 * @throws AppError username_illegal, username_too_long
 */
export function checkLongUsername(name: string): string {
  if (name.length > maxStoredLength) throw new AppError('username_too_long', { limit: maxStoredLength });
  if (!storable.test(name) || isReserved(name)) throw new AppError('username_illegal', { detail: name });
  return foldUsername(name);
}

/** Whether a text has the form of a uuid, in any case. No name may have it; a database may hold some from before. */
export function isUuid(text: string): boolean {
  return uuid.test(text);
}

/** The folded name if any dialect could have made such a user, else null: asking the database would be in vain. */
export function usernameKey(name: string): string | null {
  return name.length <= maxStoredLength && storable.test(name) ? foldUsername(name) : null;
}

function isReserved(name: string): boolean {
  return dots.has(name) || isUuid(name);
}
