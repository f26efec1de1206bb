import type { User } from '../users/user.js';

/** A friend, as on the list of one user. */
export interface Contact {
  readonly username: string;
  /** The user's own name for the friend; null when there is none. */
  readonly remark: string | null;
  /** The position in the list's order. */
  readonly id: number;
}

/** The outcome for each friend to add, in the given order. `full`: the user's or the friend's list. */
export type AddOutcome = 'added' | 'present' | 'full';

/** A user and a friend. */
export interface Friendship {
  readonly user: User;
  readonly friend: User;
}

/** The most contacts per user that an app may allow: the vendor's largest plan. */
export const maxContactsPerUser = 10_000;
