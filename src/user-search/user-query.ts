import { AppError } from '../errors/app-error.js';
import type { TimeRange } from '../users/user-ranges.service.js';

export const userStates = ['active', 'banned', 'online'] as const;
export type UserState = (typeof userStates)[number];

/** What has an index, so that a page costs its rows wherever it is. */
export const sortFields = ['created', 'username', 'nickname', 'last_seen'] as const;
export type SortField = (typeof sortFields)[number];

/** Users for whom all of this holds; what is left out holds for everybody. */
export interface UserFilter {
  /** The beginning of the name, in any case. */
  readonly username?: string | undefined;
  /** The beginning of the nickname, as `foldNickname` compares it. */
  readonly nickname?: string | undefined;
  /** Banned now, not banned now, or with an open session. */
  readonly state?: UserState | undefined;
  readonly created?: TimeRange | undefined;
  /** By the stored time, which may be five minutes old for a user who is online. */
  readonly lastSeen?: TimeRange | undefined;
}

export interface UserSort {
  readonly by: SortField;
  readonly descending: boolean;
}

export interface UserQuery {
  readonly filter: UserFilter;
  /** null: in whatever order is found fastest. By nickname or last seen, only users who have one are found. */
  readonly sort: UserSort | null;
}

/** @throws AppError argument_invalid */
export function checkFilter({ created, lastSeen }: UserFilter): void {
  checkRange('created', created);
  checkRange('last_seen', lastSeen);
}

function checkRange(name: string, { from = 0, below = Infinity }: TimeRange = {}): void {
  if (from >= below) throw new AppError('argument_invalid', { detail: `${name}_from must be before ${name}_to` });
}
