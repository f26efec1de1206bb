import type { LocalSession, LocalSessions } from './local-sessions.js';
import type { PresenceStore } from './presence.store.js';

/**
 * Runs, one per beat, in which all sessions are compared with the store: 27 s. Changes behind the walk wait for the
 * next round, so nothing stays wrong for longer than two rounds.
 */
export const runsPerRound = 9;
/** Users per call. */
const askedAtOnce = 100;
const callsAtOnce = 10;
/** Smallest part of a walk; fewer users are not worth another call. */
const minWalked = 100;

/** Progress of the walk through an app's users that the store considers connected to this node. */
interface Walk {
  readonly after: string;
  /** Users per part; stays as at the start of the round, although leftovers are removed on the way. */
  readonly atOnce: number;
  /** The run in which the next round begins. */
  readonly nextRound: number;
}

/**
 * Compares the sessions of this node with those in the store, a part per run. The store may have silently lost some
 * (eviction, a failover), and may have kept some whose withdrawal it lost.
 */
export class StoreSweep {
  private readonly walks = new Map<string, Walk>();
  private runs = 0;
  private running = false;

  /** @param announceMissing announces sessions that are not marked as announced */
  constructor(
    private readonly store: PresenceStore,
    private readonly local: LocalSessions,
    private readonly announceMissing: () => Promise<void>,
  ) {}

  /** @param appIds the apps that have sessions on this node @throws RedisUnavailable */
  async run(appIds: readonly string[]): Promise<void> {
    if (this.running) return;
    this.running = true;
    this.runs += 1;
    try {
      await this.findLost();
      await this.findLeftOver(appIds);
    } finally {
      this.running = false;
    }
  }

  /** Announces again the sessions of this node that the store lacks. */
  private async findLost(): Promise<void> {
    const ofApp = new Map<string, Map<string, LocalSession[]>>();
    for (const local of this.local.take(Math.ceil(this.local.size / runsPerRound))) {
      if (!local.announced) continue;
      const { appId, username } = local.session;
      const users = ofApp.get(appId) ?? new Map<string, LocalSession[]>();
      ofApp.set(appId, users.set(username, [...(users.get(username) ?? []), local]));
    }
    let lost = false;
    for (const [appId, users] of ofApp)
      for (const [username, ids] of await this.kept(appId, [...users.keys()])) {
        for (const local of users.get(username) ?? []) {
          if (ids.has(local.session.sessionId)) continue;
          local.announced = false;
          lost = true;
        }
        await this.withdraw(appId, username, this.unknownOf(ids));
      }
    if (lost) await this.announceMissing();
  }

  /** Withdraws users that only the store considers connected to this node. */
  private async findLeftOver(appIds: readonly string[]): Promise<void> {
    const held = new Set(appIds);
    for (const appId of this.walks.keys()) if (!held.has(appId)) this.walks.delete(appId);
    for (const appId of appIds) {
      const { after, atOnce, nextRound } = this.walks.get(appId) ?? { after: '', atOnce: 0, nextRound: 0 };
      if (after === '' && this.runs < nextRound) continue;
      const { usernames, next } = await this.store.walk(appId, after, runsPerRound, Math.max(atOnce, minWalked));
      this.walks.set(appId, {
        after: next,
        atOnce: next === '' ? 0 : usernames.length,
        nextRound: after === '' ? this.runs + runsPerRound : nextRound,
      });
      const strangers = usernames.filter((username) => this.local.of(appId, username).length === 0);
      for (const [username, ids] of await this.kept(appId, strangers))
        // The sessions may be gone with only the name left.
        await this.withdraw(appId, username, ids.size === 0 ? [''] : this.unknownOf(ids));
    }
  }

  private async kept(appId: string, usernames: readonly string[]): Promise<Map<string, ReadonlySet<string>>> {
    const kept = new Map<string, ReadonlySet<string>>();
    for (const parts of partsOf(partsOf(usernames, askedAtOnce), callsAtOnce))
      await Promise.all(
        parts.map(async (names) => {
          const answers = await this.store.kept(appId, names);
          names.forEach((username, index) => kept.set(username, answers[index] as ReadonlySet<string>));
        }),
      );
    return kept;
  }

  private unknownOf(sessionIds: Iterable<string>): string[] {
    return [...sessionIds].filter((sessionId) => this.local.get(sessionId) === undefined);
  }

  private async withdraw(appId: string, username: string, sessionIds: readonly string[]): Promise<void> {
    await Promise.all(sessionIds.map((sessionId) => this.store.withdraw({ appId, username, sessionId })));
  }
}

function partsOf<Item>(items: readonly Item[], size: number): Item[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_none, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}
