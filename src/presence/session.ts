import type { PresenceNotice } from './presence-notice.js';
import type { Issued } from '../users/token-epoch.js';

/** Why the product ends a session: the `reason` of the gateway's `kicked` frame. */
export const kickReasons = [
  'banned',
  'forced_offline',
  'deleted',
  'password_changed',
  'token_revoked',
  'token_expired',
  'replaced',
  'shutdown',
] as const;
export type KickReason = (typeof kickReasons)[number];

/** Every way in which a session ends: by us, by its client (`left`), by silence, or by not keeping to the protocol. */
export type SessionEnd = KickReason | 'left' | 'silent' | 'slow' | 'violation';

/** A device of a user that is connected to a node. */
export interface Session {
  readonly appId: string;
  readonly sessionId: string;
  readonly userUuid: string;
  /** Folded: with the app, what presence is looked up by. */
  readonly username: string;
  /** `{platform}_{device id}`: unique among the sessions of a user. */
  readonly resource: string;
  readonly platform: string;
  readonly deviceName: string;
  /** The node that holds the connection, with the epoch of its lease: `{id}.{epoch}`. */
  readonly node: string;
  /** Unix microseconds on the clock of the store, so that "the oldest" means the same on every node. */
  readonly since: number;
}

/** What a client that has shown a good token wants to open. */
export interface SessionRequest {
  readonly userUuid: string;
  readonly username: string;
  readonly platform: string;
  /** What tells this device from others of the user on the same platform. */
  readonly device: string;
  readonly deviceName: string;
  readonly issued: Issued;
  /** The fingerprint of the app's secret that the token hangs on. */
  readonly letInBy: string;
  readonly expiresAtSeconds: number;
}

/** The way to the client of a session on this node. No method may fail. */
export interface SessionConnection {
  /** Tells the client why and closes. The session has ended already, whatever the client does. */
  kick(reason: KickReason): void;
  /** Something new waits for this user. */
  wake(): void;
  /**
   * The user's inbox has messages up to this number: whatever was not sent is, wake-up or not. null: nobody knows how far,
   * and anything that is known of the user may be out of date.
   */
  catchUp(lastSeq: number | null): void;
  /** Somebody whom this user watches came, went, or published something. */
  presenceChanged(notice: PresenceNotice): void;
}

/** Devices of one platform that a user may be online with; the vendor's number. */
export const devicesPerPlatform = 4;
/** And of all platforms together: a platform is whatever a client calls it. */
export const devicesPerUser = 32;

/**
 * Those of a user's sessions that have to make room: of two on the same device the older, and the oldest beyond
 * `devicesPerPlatform` and `devicesPerUser`.
 */
export function sessionsToReplace(sessions: readonly Session[]): Session[] {
  const kept = new Set<string>();
  const ofPlatform = new Map<string, number>();
  return [...sessions]
    .sort((one, other) => other.since - one.since)
    .filter(({ resource, platform }) => {
      const count = ofPlatform.get(platform) ?? 0;
      if (kept.has(resource) || count === devicesPerPlatform || kept.size === devicesPerUser) return true;
      kept.add(resource);
      ofPlatform.set(platform, count + 1);
      return false;
    });
}

/** The node of a session's `{id}.{epoch}`. */
export function nodeIdOf(node: string): string {
  return node.split('.', 1)[0] as string;
}
