import type { Clock } from '../clock/clock.js';
import { type Announced, type OnlinePage, PresenceStore, type SessionKey, type WalkPart } from './presence.store.js';
import { type Session, sessionsToReplace } from './session.js';

/** For a single node: its lease is the lifetime of the process. */
export class MemoryPresenceStore extends PresenceStore {
  readonly liveNodes = 1;
  private readonly apps = new Map<string, Map<string, Session[]>>();
  /** The names of online users in alphabetical order, by app. */
  private readonly sorted = new Map<string, readonly string[]>();

  constructor(
    readonly nodeId: string,
    private readonly clock: Clock,
  ) {
    super();
  }

  async announce(announced: Session): Promise<Announced> {
    const { appId, username } = announced;
    const others = this.of(appId, username).filter((one) => one.sessionId !== announced.sessionId);
    const newest = Math.max(0, ...others.map((one) => one.since));
    const since = announced.since || Math.max(this.clock.now() * 1_000, newest + 1);
    const session = { ...announced, node: `${this.nodeId}.1`, since };
    const all = [...others, session];
    const replaced = sessionsToReplace(all);
    this.keep(
      appId,
      username,
      all.filter((one) => !replaced.includes(one)),
    );
    return { session, replaced };
  }

  async withdraw({ appId, username, sessionId }: SessionKey): Promise<void> {
    this.keep(
      appId,
      username,
      this.of(appId, username).filter((one) => one.sessionId !== sessionId),
    );
  }

  async online(appId: string, usernames: readonly string[]): Promise<boolean[]> {
    return usernames.map((username) => this.of(appId, username).length > 0);
  }

  async sessions(appId: string, usernames: readonly string[]): Promise<Session[][]> {
    return usernames.map((username) => [...this.of(appId, username)].sort((one, other) => one.since - other.since));
  }

  async page(appId: string, after: string, limit: number): Promise<OnlinePage> {
    const usernames = this.sortedNames(appId);
    const start = after === '' ? 0 : firstAfter(usernames, after);
    return { usernames: usernames.slice(start, start + limit), total: usernames.length };
  }

  async kept(appId: string, usernames: readonly string[]): Promise<ReadonlySet<string>[]> {
    return usernames.map((username) => new Set(this.of(appId, username).map((one) => one.sessionId)));
  }

  async walk(appId: string): Promise<WalkPart> {
    return { usernames: [...(this.apps.get(appId)?.keys() ?? [])], next: '' };
  }

  async renew(): Promise<boolean> {
    return true;
  }

  async release(): Promise<void> {
    this.apps.clear();
    this.sorted.clear();
  }

  /** Sorted again only after somebody came or went: a walk of many pages asks many times. */
  private sortedNames(appId: string): readonly string[] {
    let names = this.sorted.get(appId);
    if (names === undefined) this.sorted.set(appId, (names = [...(this.apps.get(appId)?.keys() ?? [])].sort()));
    return names;
  }

  private of(appId: string, username: string): readonly Session[] {
    return this.apps.get(appId)?.get(username) ?? [];
  }

  private keep(appId: string, username: string, sessions: Session[]): void {
    let users = this.apps.get(appId);
    if (users === undefined) this.apps.set(appId, (users = new Map<string, Session[]>()));
    if (users.has(username) !== sessions.length > 0) this.sorted.delete(appId);
    if (sessions.length > 0) users.set(username, sessions);
    else users.delete(username);
    if (users.size === 0) this.apps.delete(appId);
  }
}

/** The index of the first of these sorted names that is greater than `name`. */
function firstAfter(names: readonly string[], name: string): number {
  let [low, high] = [0, names.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((names[middle] as string) > name) high = middle;
    else low = middle + 1;
  }
  return low;
}
