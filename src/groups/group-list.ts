/**
 * A list of users that a group keeps beside its members. Admins are members; a blocked user is none and cannot become
 * one; a mute stays when its user leaves and comes back, until it ends.
 */
export type GroupList = 'admin' | 'block' | 'mute' | 'super_admin';

/** How many users a list takes; no limit of its own: as many as the app has. */
export const maxEntriesOf: Readonly<Record<GroupList, number>> = {
  // The vendor's: a hundred together with the owner.
  admin: 99,
  block: Infinity,
  mute: Infinity,
  super_admin: 100,
};

/** When a mute for ever ends, in Unix milliseconds: the vendor's own number for it. Other lists end as late. */
export const forever = 4_638_873_600_000;

/** Stands for the group in a list that belongs to the whole app: no group has this id. */
export const wholeApp = 0;

export interface GroupListEntry {
  readonly userUuid: string;
  readonly username: string;
  readonly expiresAt: number;
  /** Grows with the time of the entry. */
  readonly id: number;
}
