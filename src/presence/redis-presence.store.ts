import type { KeyCommand, RedisService } from '../redis/redis.service.js';
import { OnlinePages } from './online-pages.js';
import { definePresenceScripts } from './presence-scripts.js';
import {
  type Announced,
  leaseMs,
  type OnlinePage,
  PresenceStore,
  renewEveryMs,
  type SessionKey,
  type WalkPart,
} from './presence.store.js';
import { devicesPerPlatform, devicesPerUser, type Session } from './session.js';

/** Every session is checked, and its TTL thereby extended, long before this: a part of them with each renewal. */
const userTtlMs = 3_600_000;
const registry = '{rollcall}:nodes';
const renewalsInLease = Math.ceil(leaseMs / renewEveryMs);

/** Sessions of all nodes in Redis, with one lease per node and app. Only Redis's clock matters. */
export class RedisPresenceStore extends PresenceStore {
  /** The node count seen by each of the last renewals. */
  private counts: readonly number[] = [1];
  private epoch = 1;
  /** Apps in which this epoch has a lease. */
  private readonly leased = new Set<string>();
  private readonly pages: OnlinePages;

  constructor(
    readonly nodeId: string,
    private readonly redis: RedisService,
    private readonly leaseMillis = leaseMs,
  ) {
    super();
    definePresenceScripts(redis);
    this.pages = new OnlinePages(redis);
  }

  async announce(session: Session): Promise<Announced | null> {
    const { appId, username, sessionId, since, platform, resource, userUuid, deviceName } = session;
    const { node, epoch } = this;
    const keys = [nodesKey(appId), userKey(appId, username), membersKey(appId, node)];
    const lease = [node, this.leaseMillis, this.leased.has(appId) ? 0 : 1, userTtlMs];
    const value = [
      sessionId,
      since,
      platform,
      resource,
      `${userUuid}|${deviceName}`,
      devicesPerPlatform,
      devicesPerUser,
      username,
    ];
    const [kept, keptSince, ...replaced] = await this.redis.run(nodesKey(appId), (redis) =>
      redis.presenceAnnounce(...keys, ...lease, ...value),
    );
    if (kept === 0) return (this.lose(epoch), null);
    if (epoch === this.epoch) this.leased.add(appId);
    return {
      session: { ...session, node, since: Number(keptSince) },
      replaced: toSessions(appId, username, replaced),
    };
  }

  async withdraw({ appId, username, sessionId }: SessionKey): Promise<void> {
    const { node } = this;
    await this.redis.run(nodesKey(appId), (redis) =>
      redis.presenceWithdraw(userKey(appId, username), membersKey(appId, node), node, sessionId, username),
    );
  }

  async online(appId: string, usernames: readonly string[]): Promise<boolean[]> {
    const answers = await this.redis.run(nodesKey(appId), (redis) =>
      redis.presenceOnline(...this.lookUp(appId, usernames)),
    );
    return answers.map((answer) => answer === 1);
  }

  async sessions(appId: string, usernames: readonly string[]): Promise<Session[][]> {
    const answers = await this.redis.run(nodesKey(appId), (redis) =>
      redis.presenceSessions(...this.lookUp(appId, usernames)),
    );
    return answers.map((entries, index) => toSessions(appId, usernames[index] as string, entries));
  }

  async page(appId: string, after: string, limit: number): Promise<OnlinePage> {
    const nodes = await this.redis.run(nodesKey(appId), (redis) =>
      redis.presenceLiving(nodesKey(appId), this.leaseMillis),
    );
    const keys = nodes.map((node) => membersKey(appId, node));
    return this.pages.page(totalKey(appId), keys, after, limit);
  }

  async kept(appId: string, usernames: readonly string[]): Promise<ReadonlySet<string>[]> {
    const { node } = this;
    const keys = [membersKey(appId, node), ...usernames.map((username) => userKey(appId, username))];
    const answers = await this.redis.run(nodesKey(appId), (redis) =>
      redis.presenceKept(keys.length, ...keys, node, userTtlMs, ...usernames),
    );
    return answers.map((ids) => new Set(ids));
  }

  async walk(appId: string, after: string, parts: number, minPart: number): Promise<WalkPart> {
    const [more, ...usernames] = await this.redis.run(nodesKey(appId), (redis) =>
      redis.presenceWalk(membersKey(appId, this.node), after, parts, minPart),
    );
    return { usernames, next: more === 1 ? (usernames.at(-1) ?? '') : '' };
  }

  async renew(appIds: readonly string[]): Promise<boolean> {
    const { node, epoch } = this;
    const unused = [...this.leased].filter((appId) => !appIds.includes(appId));
    const leased = appIds.filter((appId) => this.leased.has(appId));
    for (const appId of unused) this.leased.delete(appId);
    const [mine, ...others] = await this.redis.runEach([
      [registry, (redis) => redis.presenceRenew(1, registry, this.nodeId, this.leaseMillis, 1)],
      ...leased.map((appId): KeyCommand<[number, number]> => [
        nodesKey(appId),
        (redis) => redis.presenceRenew(2, nodesKey(appId), membersKey(appId, node), node, this.leaseMillis, 0),
      ]),
      ...unused.map((appId): KeyCommand<[number, number]> => [
        nodesKey(appId),
        (redis) => redis.hdel(nodesKey(appId), node).then((): [number, number] => [1, 0]),
      ]),
    ]);
    if (mine) this.counts = [mine[1], ...this.counts].slice(0, renewalsInLease);
    if (others.every((kept) => kept === null || kept[0] === 1)) return true;
    this.lose(epoch);
    return false;
  }

  /**
   * The most seen within a lease: Redis may have lost everything, and a node that missed a renewal since is still
   * alive. Counting too many costs a node some of its share; counting too few would admit too much.
   */
  get liveNodes(): number {
    return Math.max(...this.counts);
  }

  async release(): Promise<void> {
    const { node } = this;
    const appIds = [...this.leased];
    this.lose(this.epoch);
    await this.redis.runEach<number>([
      [registry, (redis) => redis.hdel(registry, this.nodeId)],
      ...appIds.map((appId): KeyCommand<number> => [nodesKey(appId), (redis) => redis.hdel(nodesKey(appId), node)]),
      ...appIds.map((appId): KeyCommand<number> => [nodesKey(appId), (redis) => redis.del(membersKey(appId, node))]),
    ]);
  }

  /** The current name: after an epoch change, whatever was written under the old one never counts again. */
  private get node(): string {
    return `${this.nodeId}.${this.epoch}`;
  }

  /** Several replies may report the same loss. */
  private lose(epoch: number): void {
    if (epoch !== this.epoch) return;
    this.epoch += 1;
    this.leased.clear();
  }

  private lookUp(appId: string, usernames: readonly string[]): (string | number)[] {
    const keys = [nodesKey(appId), ...usernames.map((username) => userKey(appId, username))];
    return [keys.length, ...keys, this.leaseMillis];
  }
}

function nodesKey(appId: string): string {
  return `{${appId}}:presence:nodes`;
}

function userKey(appId: string, username: string): string {
  return `{${appId}}:presence:user:${username}`;
}

function membersKey(appId: string, node: string): string {
  return `{${appId}}:presence:node:${node}`;
}

function totalKey(appId: string): string {
  return `{${appId}}:presence:total`;
}

/** From alternating fields and values, oldest first. */
function toSessions(appId: string, username: string, entries: readonly string[]): Session[] {
  const sessions: Session[] = [];
  for (let index = 0; index < entries.length; index += 2) {
    const [node, sessionId] = (entries[index] as string).split('|') as [string, string];
    const [since, platform, resource, userUuid, ...name] = (entries[index + 1] as string).split('|') as [
      string,
      string,
      string,
      string,
      ...string[],
    ];
    const deviceName = name.join('|');
    sessions.push({ appId, sessionId, userUuid, username, resource, platform, deviceName, node, since: Number(since) });
  }
  return sessions.sort((one, other) => one.since - other.since);
}
