import type { Ban } from './ban-state.js';

/** A user account of an app. Times are Unix milliseconds. */
export interface User {
  readonly appId: string;
  /** The folded name: unique, and the form stored and returned. */
  readonly username: string;
  readonly uuid: string;
  /** Time-ordered integer, unique in the app: the order of registration, and the `id` of the Qiscus dialect. */
  readonly id: number;
  readonly nickname: string | null;
  /** Not banned, when the row was read: computed from `ban` alone. */
  readonly activated: boolean;
  /** The stored ban, which may be planned or over: see `banStateAt`. */
  readonly ban: Ban | null;
  readonly createdAt: number;
  /** The last change to the account. Tokens don't count: moving the epoch alone leaves it as it was. */
  readonly modifiedAt: number;
  /** A PHC string, or null for a user without a password. Never leaves the process. */
  readonly passwordHash: string | null;
  /**
   * Unix milliseconds near the last revocation (0: never), later with each: see `token-epoch.ts`. A Rollcall token
   * carries the epoch it was issued under and ends when it moves; an AccessToken2 ends if it was issued in or before
   * the second of the epoch. A planned ban moves it at its beginning.
   */
  readonly tokenEpoch: number;
  /** Whether the user may have blocked others; if not, blocks need not be looked up. */
  readonly hasBlocks: boolean;
  /** As stored, for `readPushSettings`; null for nearly all users. */
  readonly pushSettings: string | null;
}
