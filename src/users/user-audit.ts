import { type AuditAction, type AuditEntry, type AuditValues, differences } from '../audit/audit-entry.js';
import type { User } from './user.js';

const visible = ['nickname', 'activated', 'pushSettings'] as const;

/** The user, as the target of an entry. */
export function targetOf({ username, uuid }: Pick<User, 'username' | 'uuid'>): {
  readonly target: string;
  readonly targetUuid: string;
} {
  return { target: username, targetUuid: uuid };
}

/** One entry for all users that a call has registered; null if it registered none. */
export function registrationOf(users: readonly (User | null)[]): AuditEntry | null {
  const registered = users.filter((user) => user !== null);
  const [first] = registered;
  if (first === undefined) return null;
  if (users.length === 1)
    return {
      ...{ action: 'user.register', ...targetOf(first) },
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
  const changed = differences(shownOf(before), shownOf(after), ['ban', ...visible]);
  // eslint-disable-next-line rollcall/timing-safe-comparison -- both are stored hashes: nobody guesses at either
  const newPassword = before.passwordHash !== after.passwordHash;
  if (changed === undefined && !newPassword && before.tokenEpoch === after.tokenEpoch) return null;
  return {
    ...{ action, ...targetOf(after), reason },
    before: withBan(changed?.before, before),
    after: withBan(newPassword ? { ...changed?.after, password: 'changed' } : changed?.after, after),
  };
}

export function deletionOf(user: User): AuditEntry {
  const { nickname, activated, createdAt } = user;
  return {
    ...{ action: 'user.delete', ...targetOf(user) },
    before: { ...(nickname === null ? {} : { nickname }), activated, created_at: createdAt },
  };
}

/** With the ban as text, so that equal ones are the same. */
function shownOf({ nickname, activated, pushSettings, ban }: User) {
  return { nickname, activated, pushSettings, ban: JSON.stringify(ban) };
}

function withBan(values: AuditValues | undefined, { ban }: User): AuditValues | undefined {
  if (values === undefined || !('ban' in values)) return values;
  return { ...values, ban: ban && { starts_at: ban.startsAt, ends_at: ban.endsAt } };
}
