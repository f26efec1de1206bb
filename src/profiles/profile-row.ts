import { parseExactly } from '../decoding/exact-numbers.js';
import type { User } from '../users/user.js';
import type { ProfiledUser } from './profile.js';
import type { UserProfileRow } from './user-profile.entity.js';

/** @param row null: no profile was ever written */
export function toProfiledUser(user: User, row: UserProfileRow | null): ProfiledUser {
  return {
    user,
    profile: {
      userId: row?.user_id ?? user.username,
      avatarUrl: row?.avatar_url ?? null,
      extras: row?.extras == null ? {} : (parseExactly(row.extras) as Record<string, unknown>),
    },
  };
}
