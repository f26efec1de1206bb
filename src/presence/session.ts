import type { PresenceNotice } from './presence-notice.js';
import type { Issued } from '../users/token-epoch.js';

/** Why the server ends a session: the `reason` of the gateway's `kicked` frame. */
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

/** Every way a session ends: by the server, by its client (`left`), by silence, or by a protocol violation. */
export type SessionEnd = KickReason | 'left' | 'silent' | 'slow' | 'violation';

/** A user's device connected to a node. */
export interface Session {
  readonly appId: string;
  readonly sessionId: string;
  readonly userUuid: string;
  /** Folded; together with the app it is the lookup key of presence. */
  readonly username: string;
  /** `{platform}_{device id}`: unique among the sessions of a user. */
  readonly resource: string;
  readonly platform: string;
  readonly deviceName: string;
  /** The node that holds the connection and the epoch of its lease: `{id}.{epoch}`. */
  readonly node: string;
  /** Unix microseconds on the store's clock, so that "oldest" means the same on every node. */
  readonly since: number;
}

/** The session that a client with a valid token wants to open. */
export interface SessionRequest {
  readonly userUuid: string;
  readonly username: string;
  readonly platform: string;
  /** Distinguishes this device from the user's others on the same platform. */
  readonly device: string;
  readonly deviceName: string;
  readonly issued: Issued;
  /** The fingerprint of the app secret that the token depends on. */
  readonly letInBy: string;
  readonly expiresAtSeconds: number;
}

/** The connection to the client of a session on this node. No method may fail. */
export interface SessionConnection {
  /**
   * Tells the client why and closes. The session has already ended, whatever the client does.
   * @param untilMs when a ban ends, in Unix milliseconds; null: it does not
   */
  kick(reason: KickReason, untilMs?: number | null): void;
  /** There is something new for this user. */
  wake(): void;
  /**
   * The user's inbox has messages up to this number: sends what was not sent yet, even without a wake-up. null: the
   * number is unknown, and anything cached about the user may be stale.
   */
  catchUp(lastSeq: number | null): void;
  /** A user that this one watches came online, went offline, or published something. */
  presenceChanged(notice: PresenceNotice): void;
}

/** Devices per platform that a user may have online; the vendor's limit. */
export const devicesPerPlatform = 4;
/** The same over all platforms, as clients name platforms freely. */
export const devicesPerUser = 32;

/**
 * The user's sessions that must make room: the older of two on the same device, and the oldest beyond
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

/** The node id in a session's `{id}.{epoch}`. */
export function nodeIdOf(node: string): string {
  return node.split('.', 1)[0] as string;
}
