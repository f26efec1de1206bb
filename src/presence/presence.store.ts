import type { Session } from './session.js';

/** What an announcement came to. */
export interface Announced {
  /** The session as it is kept: with the node's present name, and the time of its first announcement. */
  readonly session: Session;
  /** Sessions of the user that no longer count because this one does; or this one itself, when newer ones took its place. */
  readonly replaced: readonly Session[];
}

/** What a session is found by. */
export type SessionKey = Pick<Session, 'appId' | 'username' | 'sessionId'>;

/** A part of the users whom the store takes for connected to this node. */
export interface WalkPart {
  readonly usernames: readonly string[];
  /** Where the next part begins; '': that was the last. */
  readonly next: string;
}

export interface OnlinePage {
  /** In the order of the alphabet. */
  readonly usernames: readonly string[];
  /**
   * How many users of the app are online, each once. With sessions on several nodes it is as of a moment ago: 0.2 s, or in
   * a large app up to 40 µs for each of them.
   */
  readonly total: number;
}

/** Users whose sessions one question may ask for. */
export const maxNamesPerRead = 100;

/**
 * Who is connected, over all nodes. All of it may be lost: every node knows its own sessions and announces them again.
 * A session counts while the lease of its node lives, and no longer. Whoever asks may be told of the node's own
 * sessions as they were a moment ago; the asker knows those better.
 */
export abstract class PresenceStore {
  /** This node, apart from its epochs. */
  abstract readonly nodeId: string;

  /**
   * Makes a session count at once, for every node. Doing so again changes nothing, and keeps `since` when it is not 0.
   * @returns null when the node's lease was found lost: all of its sessions stopped counting, and the node has a new
   *   epoch in which each of them is to be announced again
   * @throws RedisUnavailable
   */
  abstract announce(session: Session): Promise<Announced | null>;

  /** Ends a session at once, for every node; a user without one is no longer listed. @throws RedisUnavailable */
  abstract withdraw(session: SessionKey): Promise<void>;

  /** For each name, whether it has a session that counts; one round trip for up to 100. @throws RedisUnavailable */
  abstract online(appId: string, usernames: readonly string[]): Promise<boolean[]>;

  /** For each name, its sessions that count, oldest first; one round trip for up to 100. @throws RedisUnavailable */
  abstract sessions(appId: string, usernames: readonly string[]): Promise<Session[][]>;

  /** Up to `limit` online users after the name `after` ('': from the first). @throws RedisUnavailable */
  abstract page(appId: string, after: string, limit: number): Promise<OnlinePage>;

  /**
   * For each name, the ids of the sessions that it has of this node, which it keeps for another while; one round trip
   * for up to 100. None of a user whom it would not list. @throws RedisUnavailable
   */
  abstract kept(appId: string, usernames: readonly string[]): Promise<ReadonlySet<string>[]>;

  /**
   * Users whom it takes for connected to this node, after the name `after` ('': from the first): one of `parts` parts of
   * them, and `minPart` of them if there are so many. @throws RedisUnavailable
   */
  abstract walk(appId: string, after: string, parts: number, minPart: number): Promise<WalkPart>;

  /**
   * Renews the lease of this node, which holds sessions of these apps; to be called every `renewEveryMs`.
   * @returns false when it was found lost, as for `announce` @throws RedisUnavailable
   */
  abstract renew(appIds: readonly string[]): Promise<boolean>;

  /** Gives the lease up at once, with all sessions that still count. @throws RedisUnavailable */
  abstract release(): Promise<void>;

  /** Nodes alive within the last lease, this one included. */
  abstract readonly liveNodes: number;
}

/** How long a node's sessions count after its last sign of life. */
export const leaseMs = 10_000;
export const renewEveryMs = 3_000;
