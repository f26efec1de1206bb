import type { User } from '../users/user.js';

/** What a user shows to others beyond the account. */
export interface Profile {
  /** The name as it was written at the registration; an account that Agora's routes made has it folded. */
  readonly userId: string;
  /** null: none was given. */
  readonly avatarUrl: string | null;
  /** What the app keeps about the user, as it was given; `{}` if nothing was. */
  readonly extras: Readonly<Record<string, unknown>>;
}

/** A user with its profile. */
export interface ProfiledUser {
  readonly user: User;
  readonly profile: Profile;
}

/** Others see this name of a user who has no nickname. */
export function displayNameOf({ user, profile }: ProfiledUser): string {
  return user.nickname ?? profile.userId;
}
