import type { PresenceNotice, Watcher } from './presence-notice.js';
import type { KickReason } from './session.js';

/**
 * What one node tells another about the sessions that one holds. A new kind needs a member here and a case in
 * `PresenceService.receive`. `at`: Unix milliseconds of the cause on the sender's clock, used for latency only.
 */
export type Signal =
  | {
      readonly kind: 'close_user';
      readonly appId: string;
      readonly username: string;
      readonly userUuid: string;
      /** Sessions whose token outlives this epoch were opened after the cause and stay. Null: end all. */
      readonly tokenEpoch: number | null;
      readonly reason: KickReason;
      /** With `banned`: when the ban ends, in Unix milliseconds. Older nodes leave it out. */
      readonly until?: number;
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
  /** For the sessions of these users; nodes older than this kind ignore it. */
  | {
      readonly kind: 'presence';
      readonly appId: string;
      readonly watchers: readonly Watcher[];
      readonly notice: PresenceNotice;
    }
  /** Sessions stay open, but their view of the user is stale. Nodes older than this kind leave it to their sweep. */
  | { readonly kind: 'user_changed'; readonly appId: string; readonly username: string };
