import { AppError } from '../errors/app-error.js';
import type { User } from '../users/user.js';
import { foldUsername } from '../users/username.js';
import { type GroupTexts, maxMembersOf, type NewGroup } from './group.js';
import type { Membership } from './group-writes.repository.js';

/** Maximum users that one call adds, removes or puts on a list. */
export const maxMembersPerCall = 60;
const maxNameLength = 128;
const maxTextLength = 512;
const maxCustomLength = 4096;

/** @throws AppError argument_invalid */
export function checkGroup({ kind, maxMembers, ...texts }: NewGroup): void {
  checkTexts(texts);
  const most = maxMembersOf[kind];
  if (!Number.isSafeInteger(maxMembers) || maxMembers < 1 || maxMembers > most)
    throw new AppError('argument_invalid', { detail: `maxusers must be a whole number from 1 to ${most}` });
}

/** @throws AppError argument_invalid */
export function checkTexts(texts: Partial<GroupTexts>): void {
  const { name = '', description = '', custom = '', announcement = '' } = texts;
  const tooLong = (member: string, most: number): never => {
    throw new AppError('argument_invalid', { detail: `${member} must be at most ${most} characters` });
  };
  // The database would store something else instead.
  if (![name, description, custom, announcement].every((text) => text.isWellFormed() && !text.includes('\0')))
    throw new AppError('argument_invalid', { detail: 'texts of a group must be well-formed Unicode text' });
  if (name.length > maxNameLength) tooLong('the name', maxNameLength);
  if (description.length > maxTextLength) tooLong('the description', maxTextLength);
  if (custom.length > maxCustomLength) tooLong('custom', maxCustomLength);
  if (announcement.length > maxTextLength) tooLong('the announcement', maxTextLength);
}

/** The folded names without duplicates. @throws AppError batch_too_large */
export function checkNames(usernames: readonly string[], limit = maxMembersPerCall): string[] {
  if (usernames.length > limit) throw new AppError('batch_too_large', { count: usernames.length, limit });
  return [...new Set(usernames.map(foldUsername))];
}

/** @throws AppError group_user_not_found when any user is missing: then nothing changes */
export function allOf(names: readonly string[], { users }: Membership): User[] {
  const found = new Map(users.map((user) => [user.username, user]));
  return names.map((name) => found.get(name) ?? userNotFound(name));
}

export function namesOfUsers(users: readonly User[]): string[] {
  return users.map((user) => user.username);
}

/** Text that cannot be an id counts as an unknown group. @throws AppError group_not_found */
export function readGroupId(text: string): number {
  const id = /^[1-9]\d{0,15}$/.test(text) ? Number(text) : NaN;
  return Number.isSafeInteger(id) ? id : groupNotFound(text);
}

export function groupNotFound(id: string): never {
  throw new AppError('group_not_found', { detail: id });
}

export function userNotFound(name: string): never {
  throw new AppError('group_user_not_found', { detail: name });
}
