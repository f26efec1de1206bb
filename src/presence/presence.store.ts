import type { Session } from './session.js';

/** The outcome of an announcement. */
export interface Announced {
  /** The session as stored: with the node's current name and the time of its first announcement. */
  readonly session: Session;
  /** The user's sessions that this one displaced, or this one itself if newer ones took its place. */
  readonly replaced: readonly Session[];
}

/** What identifies a session. */
export type SessionKey = Pick<Session, 'appId' | 'username' | 'sessionId'>;

/** A part of the users that the store considers connected to this node. */
export interface WalkPart {
  readonly usernames: readonly string[];
  /** Where the next part begins; '': this was the last. */
  readonly next: string;
}

export interface OnlinePage {
  /** In alphabetical order. */
  readonly usernames: readonly string[];
  /**
   * How many distinct users of the app are online. With sessions on several nodes it lags slightly: 0.2 s, or in a
   * large app up to 40 µs per user.
   */
  readonly total: number;
}

/** Users whose sessions one call may read. */
export const maxNamesPerRead = 100;

/**
 * Who is connected, over all nodes. All of it is expendable: every node knows its own sessions and announces them
 * again. A session counts only while its node's lease is alive. Answers may be slightly stale about the calling node's
 * own sessions; the caller knows those better.
 */
export abstract class PresenceStore {
  /** This node, without its epoch. */
  abstract readonly nodeId: string;

  /**
   * Makes a session count at once, for every node. Idempotent; keeps `since` when it is not 0.
   * @returns null when the node's lease was lost: all its sessions stopped counting, and the node has a new epoch in
   *   which each must be announced again
   * @throws RedisUnavailable
   */
  abstract announce(session: Session): Promise<Announced | null>;

  /** Ends a session at once, for every node; a user without one is no longer listed. @throws RedisUnavailable */
  abstract withdraw(session: SessionKey): Promise<void>;

  /** For each name, whether it has a counting session; one round trip for up to 100. @throws RedisUnavailable */
  abstract online(appId: string, usernames: readonly string[]): Promise<boolean[]>;

  /** For each name, its counting sessions, oldest first; one round trip for up to 100. @throws RedisUnavailable */
  abstract sessions(appId: string, usernames: readonly string[]): Promise<Session[][]>;

  /** Up to `limit` online users after the name `after` ('': from the first). @throws RedisUnavailable */
  abstract page(appId: string, after: string, limit: number): Promise<OnlinePage>;

  /**
   * For each name, the ids of its stored sessions on this node, whose expiry is extended; one round trip for up to 100.
   * Empty for users that it would not list. @throws RedisUnavailable
   */
  abstract kept(appId: string, usernames: readonly string[]): Promise<ReadonlySet<string>[]>;

  /**
   * Users it considers connected to this node, after the name `after` ('': from the first): one of `parts` parts, but
   * at least `minPart` users if there are that many. @throws RedisUnavailable
   */
  abstract walk(appId: string, after: string, parts: number, minPart: number): Promise<WalkPart>;

  /**
   * Renews the lease of this node, which holds sessions of these apps; to be called every `renewEveryMs`.
   * @returns false when it was lost, as for `announce` @throws RedisUnavailable
   */
  abstract renew(appIds: readonly string[]): Promise<boolean>;

  /** Releases the lease at once, with all sessions that still count. @throws RedisUnavailable */
  abstract release(): Promise<void>;

  /** Nodes alive within the last lease, this one included. */
  abstract readonly liveNodes: number;
}

/** How long a node's sessions count after its last heartbeat. */
export const leaseMs = 10_000;
export const renewEveryMs = 3_000;
