import { type AuditEntry, differences } from '../audit/audit-entry.js';
import type { User } from '../users/user.js';
import { forever, type GroupList } from './group-list.js';
import type { Group, NewGroup } from './group.js';

/** Columns of a group, as they were or as they are set. */
type Columns = Readonly<Record<string, unknown>>;

/** @param members the owner first */
export function creationOf(id: number, { kind, name }: NewGroup, members: readonly User[]): AuditEntry {
  const [owner, ...others] = namesOf(members);
  return { action: 'group.create', target: String(id), after: { kind, name, owner, members: others } };
}

export function deletionOf({ id, kind, name, ownerUuid, members }: Group): AuditEntry {
  const before = { kind, name, owner_uuid: ownerUuid, members };
  return { action: 'group.delete', target: String(id), before };
}

/** null: it had these values already. */
export function changeOf({ id }: Group, before: Columns, columns: Columns): AuditEntry | null {
  const changed = differences(before, columns, Object.keys(columns));
  return changed === undefined ? null : { action: 'group.change', target: String(id), ...changed };
}

export function joiningOf({ id }: Group, users: readonly User[]): AuditEntry {
  const after = { members: namesOf(users) };
  return { action: 'group.add_members', target: String(id), after, count: users.length };
}

export function leavingOf({ id }: Group, users: readonly User[]): AuditEntry {
  const before = { members: namesOf(users) };
  return { action: 'group.remove_members', target: String(id), before, count: users.length };
}

export function listingOf({ id }: Group, list: GroupList, users: readonly User[], expiresAt: number): AuditEntry {
  const after = { list, users: namesOf(users), ...(expiresAt === forever ? {} : { expires_at: expiresAt }) };
  return { action: 'group.add_to_list', target: String(id), after, count: users.length };
}

export function delistingOf({ id }: Group, lists: readonly GroupList[], users: readonly User[]): AuditEntry {
  const before = { list: lists.join(', '), users: namesOf(users) };
  return { action: 'group.remove_from_list', target: String(id), before, count: users.length };
}

function namesOf(users: readonly User[]): string[] {
  return users.map(({ username }) => username);
}
