import type { User } from '../users/user.js';

/** A friend, as on the list of one user. */
export interface Contact {
  readonly username: string;
  /** What the user calls the friend; null: nothing of their own. */
  readonly remark: string | null;
  /** The place in the order of the list. */
  readonly id: number;
}

/** What becomes of each friend to be added, in their order. `full`: of the user or of the friend. */
export type AddOutcome = 'added' | 'present' | 'full';

/** A user and a friend. */
export interface Friendship {
  readonly user: User;
  readonly friend: User;
}

/** The most contacts that an app may allow each user, as the vendor sells them. */
export const maxContactsPerUser = 10_000;
