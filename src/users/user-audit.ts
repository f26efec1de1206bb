import { type AuditAction, type AuditEntry, differences } from '../audit/audit-entry.js';
import type { User } from './user.js';

const visible = ['nickname', 'activated', 'pushSettings'] as const;

/** One entry for all users that a call has registered; null if it registered none. */
export function registrationOf(users: readonly (User | null)[]): AuditEntry | null {
  const registered = users.filter((user) => user !== null);
  const [first] = registered;
  if (first === undefined) return null;
  if (users.length === 1)
    return {
      ...{ action: 'user.register', target: first.username, targetUuid: first.uuid },
      after: first.nickname === null ? undefined : { nickname: first.nickname },
    };
  return {
    ...{ action: 'user.register', target: null, count: registered.length },
    outcome: registered.length < users.length ? 'partial' : 'done',
    after: { usernames: registered.map(({ username }) => username) },
  };
}

/** A change of a user; null if it is as it was. */
export function entryOf(
  before: User,
  after: User,
  action: AuditAction,
  reason: string | null | undefined,
): AuditEntry | null {
  const changed = differences(before, after, visible);
  const newPassword = before.passwordHash !== after.passwordHash;
  if (changed === undefined && !newPassword && before.tokenEpoch === after.tokenEpoch) return null;
  return {
    ...{ action, target: after.username, targetUuid: after.uuid, reason },
    before: changed?.before,
    after: newPassword ? { ...changed?.after, password: 'changed' } : changed?.after,
  };
}

export function deletionOf({ username, uuid, nickname, activated, createdAt }: User): AuditEntry {
  return {
    ...{ action: 'user.delete', target: username, targetUuid: uuid },
    before: { ...(nickname === null ? {} : { nickname }), activated, created_at: createdAt },
  };
}
