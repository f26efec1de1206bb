import type { User } from '../users/user.js';

/** What others see of a user beyond the account. */
export interface Profile {
  /** The name as written at registration; folded for an account created through Agora's routes. */
  readonly userId: string;
  /** null: none was given. */
  readonly avatarUrl: string | null;
  /** The app's own data about the user, as given; `{}` if none was. */
  readonly extras: Readonly<Record<string, unknown>>;
}

/** A user with its profile. */
export interface ProfiledUser {
  readonly user: User;
  readonly profile: Profile;
}

/** The nickname, or the name if there is none. */
export function displayNameOf({ user, profile }: ProfiledUser): string {
  return user.nickname ?? profile.userId;
}
