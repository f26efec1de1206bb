import type { PresenceNotice, Watcher } from './presence-notice.js';
import type { KickReason } from './session.js';

/**
 * What one node tells another about sessions that the other one holds. A new kind is a new member here and a case in
 * `PresenceService.receive`. `at`: Unix milliseconds of the cause on the sender's clock, for the latency only.
 */
export type Signal =
  | {
      readonly kind: 'close_user';
      readonly appId: string;
      readonly username: string;
      readonly userUuid: string;
      /** Sessions whose token outlives this epoch were opened after the cause and stay. Null: all end. */
      readonly tokenEpoch: number | null;
      readonly reason: KickReason;
      readonly at: number;
    }
  | {
      readonly kind: 'close_session';
      readonly appId: string;
      readonly sessionId: string;
      readonly reason: KickReason;
      readonly at: number;
    }
  | { readonly kind: 'wake'; readonly appId: string; readonly usernames: readonly string[] }
  /** For the sessions of these users; a node of before this kind passes it over. */
  | {
      readonly kind: 'presence';
      readonly appId: string;
      readonly watchers: readonly Watcher[];
      readonly notice: PresenceNotice;
    }
  /** Sessions go on, and what they know of the user is out of date. A node of before this kind leaves it to its sweep. */
  | { readonly kind: 'user_changed'; readonly appId: string; readonly username: string };
