import type { LocalSession, LocalSessions } from './local-sessions.js';
import type { PresenceStore } from './presence.store.js';

/**
 * Runs, one with each beat, in which all sessions are compared with what the store has: 27 s. What happens behind the walk
 * waits for the next round, so two of them are the longest that anything stays wrong.
 */
export const runsPerRound = 9;
/** Users about whom one call asks. */
const askedAtOnce = 100;
const callsAtOnce = 10;
/** Users in a part of a walk that are not worth another call. */
const minWalked = 100;

/** Where the walk through the users of an app is that the store takes for connected to this node. */
interface Walk {
  readonly after: string;
  /** How many at once: as many as at the beginning, though what is left over is taken out on the way. */
  readonly atOnce: number;
  /** The run with which the next round begins. */
  readonly nextRound: number;
}

/**
 * Compares the sessions of this node with what the store has of them, a part with each run. The store may have lost some
 * without a trace (eviction, a failover), and it may have kept some whose withdrawal it lost.
 */
export class StoreSweep {
  private readonly walks = new Map<string, Walk>();
  private runs = 0;
  private running = false;

  /** @param announceMissing makes sessions known that are not marked as announced */
  constructor(
    private readonly store: PresenceStore,
    private readonly local: LocalSessions,
    private readonly announceMissing: () => Promise<void>,
  ) {}

  /** @param appIds the apps of which this node has sessions @throws RedisUnavailable */
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

  /** Sessions that this node has and the store has not are announced again. */
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

  /** Users whom only the store takes for connected to this node are withdrawn. */
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
        // Its sessions may be gone and only the name be left.
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
