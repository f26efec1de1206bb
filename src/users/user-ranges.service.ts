import { Injectable } from '@nestjs/common';
import type { KeyRange, KeyWalk } from '../database/key-range.js';
import { BansRepository } from './bans.repository.js';
import { beginningOf, foldNickname } from './nickname-key.js';
import type { User } from './user.js';
import { type RangeColumn, UserRangesRepository } from './user-ranges.repository.js';
import { usernameKey } from './username.js';

/** After every text that begins with what is before it. */
const lastCharacter = '\u{10ffff}';

/** Unix milliseconds: from `from` up to, but without, `below`; each is optional. */
export interface TimeRange {
  readonly from?: number | undefined;
  readonly below?: number | undefined;
}

/** Users in a range of an index, and in its order. */
export interface UserRange {
  readonly column: RangeColumn;
  readonly range: KeyRange;
}

/** Owns the walks over users by an index. A page costs its rows, wherever it is. */
@Injectable()
export class UserRangesService {
  constructor(
    private readonly repository: UserRangesRepository,
    private readonly bans: BansRepository,
  ) {}

  /** The next users of a range; those with the same key are in order of registration. */
  walk(appId: string, { column, range }: UserRange, walk: Omit<KeyWalk, 'range'>): Promise<User[]> {
    return this.repository.walk(appId, column, { ...walk, range });
  }

  /** How many users a range has, up to `max`. */
  count(appId: string, { column, range }: UserRange, max: number): Promise<number> {
    return this.repository.count(appId, column, range, max);
  }

  /**
   * The next users stored as banned, in order of registration, by the user's `id` after that one. One whose ban time has
   * just begun or ended may be missing, or no longer be banned, for a second.
   */
  async walkBanned(appId: string, afterUserId: number, limit: number): Promise<{ uuid: string; userId: number }[]> {
    const bans = await this.bans.listCurrent(appId, 'active', afterUserId, limit);
    return bans.map(({ user_uuid: uuid, user_id: userId }) => ({ uuid, userId }));
  }

  /** How many they are, up to `max`. */
  countBanned(appId: string, max: number): Promise<number> {
    return this.repository.countBanned(appId, max);
  }
}

export const everyName = beginningWith('username', '');

/** The users whose names begin so, in any case; '': all. null: no name begins so. */
export function usernamesFrom(prefix: string): UserRange | null {
  if (prefix === '') return everyName;
  const key = usernameKey(prefix);
  return key === null ? null : beginningWith('username', key);
}

/** About the users whose nicknames begin so; '': all who have one. Those beyond the length of a key need a look. */
export function nicknamesFrom(prefix: string): UserRange {
  return beginningWith('nickname_key', beginningOf(foldNickname(prefix)));
}

function beginningWith(column: RangeColumn, key: string): UserRange {
  return { column, range: { from: key, below: `${key}${lastCharacter}` } };
}

/** The users registered in this time. */
export function createdIn({ from = 0, below = Number.MAX_SAFE_INTEGER }: TimeRange): UserRange {
  return { column: 'created_at', range: { from, below } };
}
