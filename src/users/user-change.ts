import type { AuditAction } from '../audit/audit-entry.js';
import type { BanChange } from './ban-history.repository.js';
import type { User } from './user.js';

export interface NewUser {
  readonly username: string;
  readonly nickname: string | null;
  readonly passwordHash: string | null;
}

/** With the uuid, because the name may belong to another user since it was looked up. */
export type UserIdentity = Pick<User, 'username' | 'uuid'>;

/** Decides, with the row locked, what changes; null: nothing. */
export type UserChange = (user: User) => UserChangeResult | null;

export interface UserChangeResult {
  readonly user: Partial<Pick<User, 'nickname' | 'ban' | 'passwordHash' | 'tokenEpoch' | 'pushSettings'>>;
  /** What the audit trail calls it. */
  readonly action: AuditAction;
  /** What the history of bans keeps, if `ban` is changed. */
  readonly banChange?: BanChange;
}

export interface Changed {
  readonly user: User;
  /** False when the change had nothing to do. */
  readonly changed: boolean;
}
