/**
 * A list of users that a group keeps besides its members. Admins are members; a blocked user is not and cannot become
 * one; a mute survives its user leaving and rejoining, until it ends.
 */
export type GroupList = 'admin' | 'block' | 'mute' | 'super_admin';

/** Maximum users per list; Infinity: only the number of the app's users limits it. */
export const maxEntriesOf: Readonly<Record<GroupList, number>> = {
  // The vendor's limit: 100 including the owner.
  admin: 99,
  block: Infinity,
  mute: Infinity,
  super_admin: 100,
};

/** When a permanent mute ends, in Unix milliseconds (the vendor's own value); other lists use it too. */
export const forever = 4_638_873_600_000;

/** Replaces the group id in app-wide lists: no group has this id. */
export const wholeApp = 0;

export interface GroupListEntry {
  readonly userUuid: string;
  readonly username: string;
  readonly expiresAt: number;
  /** Increases with the time of entry. */
  readonly id: number;
}
