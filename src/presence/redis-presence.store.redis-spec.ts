import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { SystemClock } from '../clock/clock.js';
import type { RedisServer } from '../redis/redis-server.fixture.js';
import type { RedisService } from '../redis/redis.service.js';
import { RedisUnavailable } from '../redis/redis-unavailable.js';
import { type RunningRedis, startRedis } from '../redis/running-redis.fixture.js';
import { aSession, freshApp, presenceStoreContract } from './presence.store.contract.js';
import { RedisPresenceStore } from './redis-presence.store.js';
import { devicesPerPlatform, type Session } from './session.js';

// Long enough for a machine that stands still for a moment.
const leaseMillis = 1_000;
const clock = new SystemClock();

describe('RedisPresenceStore', () => {
  let running: RunningRedis;
  let server: RedisServer;
  let redis: RedisService;
  let direct: Redis;
  let nodes = 0;
  let appId: string;
  beforeAll(async () => {
    running = await startRedis();
    ({ server, redis, direct } = running);
  });
  afterAll(() => running.stop());
  beforeEach(() => (appId = freshApp()));

  const node = (): RedisPresenceStore => new RedisPresenceStore(`node${nodes++}`, redis, leaseMillis);
  const announce = async (store: RedisPresenceStore, members: Partial<Session> = {}) => {
    const announced = await store.announce(aSession({ appId, ...members }));
    if (announced === null) throw new Error('the lease was lost');
    return announced;
  };

  describe('of one node', () => presenceStoreContract(() => new RedisPresenceStore(`node${nodes++}`, redis)));

  it('a session counts for every node, and stops when the lease of its own ends', async () => {
    const [one, two] = [node(), node()];
    await announce(one);
    await announce(two, { username: 'bob' });
    expect(await two.online(appId, ['ann', 'bob'])).toEqual([true, true]);
    for (const end = clock.monotonic() + 2 * leaseMillis; clock.monotonic() < end; await sleep(50))
      await two.renew([appId]);
    expect(await two.online(appId, ['ann', 'bob'])).toEqual([false, true]);
    expect(await two.sessions(appId, ['ann'])).toEqual([[]]);
    expect(await two.page(appId, '', 10)).toEqual({ usernames: ['bob'], total: 1 });
  });

  it('who is online with two nodes stays so when one of them dies, and is counted once', async () => {
    const [one, two] = [node(), node()];
    await announce(one);
    const { session } = await announce(two);
    expect(await two.page(appId, '', 10)).toEqual({ usernames: ['ann'], total: 1 });
    for (const end = clock.monotonic() + 2 * leaseMillis; clock.monotonic() < end; await sleep(20)) {
      await two.renew([appId]);
      expect(await two.online(appId, ['ann'])).toEqual([true]);
    }
    expect(await two.sessions(appId, ['ann'])).toEqual([[session]]);
  });

  it('a node that was away too long learns it from its renewal, and what it had never counts again', async () => {
    const [zombie, other] = [node(), node()];
    const { session } = await announce(zombie);
    await sleep(leaseMillis + 50);
    expect(await zombie.renew([appId])).toBe(false);
    expect(await zombie.renew([appId])).toBe(true);
    expect(await other.online(appId, ['ann'])).toEqual([false]);
    const again = await zombie.announce(session);
    expect(again?.session).toEqual({ ...session, node: session.node.replace('.1', '.2') });
    expect(await other.sessions(appId, ['ann'])).toEqual([[again?.session]]);
  });

  it('it also learns it from an announcement', async () => {
    const zombie = node();
    await announce(zombie);
    await sleep(leaseMillis + 50);
    expect(await zombie.announce(aSession({ appId, username: 'bob' }))).toBeNull();
    await announce(zombie, { username: 'bob' });
    expect(await zombie.online(appId, ['ann', 'bob'])).toEqual([false, true]);
  });

  it('after FLUSHALL a node learns that it must announce again', async () => {
    const store = node();
    const { session } = await announce(store);
    await direct.flushall();
    expect(await store.renew([appId])).toBe(false);
    await store.announce(session);
    expect(await store.online(appId, ['ann'])).toEqual([true]);
  });

  it('devices are counted over all nodes, and logins at the same moment replace exactly the surplus', async () => {
    const stores = [node(), node(), node()];
    const announced = await Promise.all(
      Array.from({ length: 30 }, (_, index) => announce(stores[index % 3] as RedisPresenceStore)),
    );
    const replaced = announced.flatMap((one) => one.replaced.map((session) => session.sessionId));
    expect(new Set(replaced).size).toBe(30 - devicesPerPlatform);
    expect(replaced).toHaveLength(30 - devicesPerPlatform);
    expect((await node().sessions(appId, ['ann']))[0]).toHaveLength(devicesPerPlatform);
  });

  it('a lease from before the clock was set back ends now', async () => {
    const [one, two] = [node(), node()];
    const { session } = await announce(one);
    await direct.hset(`{${appId}}:presence:nodes`, session.node, Date.now() + 3_600_000);
    expect(await two.online(appId, ['ann'])).toEqual([false]);
    expect(await one.renew([appId])).toBe(false);
  });

  it('gives every key a time to live and one slot to each app', async () => {
    await announce(node());
    const keys = await direct.keys(`{${appId}}:*`);
    expect(keys).toHaveLength(3);
    for (const key of keys) expect(await direct.pttl(key)).toBeGreaterThan(0);
    const slots = await Promise.all(keys.map((key) => direct.cluster('KEYSLOT', key).catch(() => 0)));
    expect(new Set(slots).size).toBe(1);
  });

  it('looks 100 users up with one command', async () => {
    const store = node();
    await announce(store);
    const names = Array.from({ length: 100 }, (_, index) => `u${index}`);
    await store.online(appId, names);
    const commandsBefore = await commands();
    await store.online(appId, names);
    // The script's own reads count too, for Redis; the calls of clients are these.
    expect((await commands()) - commandsBefore).toBe(1);
  });
  async function commands(): Promise<number> {
    const stats = await direct.info('commandstats');
    return Number(/cmdstat_evalsha:calls=(\d+)/.exec(stats)?.[1] ?? 0);
  }

  it('counts the nodes that live', async () => {
    const [one, two] = [node(), node()];
    await sleep(leaseMillis);
    await one.renew([]);
    await two.renew([]);
    await one.renew([]);
    expect([one.liveNodes, two.liveNodes]).toEqual([2, 2]);
    await two.release();
    for (let renewal = 0; renewal < 4; renewal += 1) await one.renew([]);
    expect(one.liveNodes).toBe(1);
  });

  it('counts the others still when Redis has lost everything, until they had the time to come back', async () => {
    const [one, two] = [node(), node()];
    await sleep(leaseMillis);
    for (const store of [one, two, one]) await store.renew([]);
    await direct.flushall();
    // The other one misses two of its renewals meanwhile.
    for (let renewal = 0; renewal < 3; renewal += 1) {
      await one.renew([]);
      expect(one.liveNodes).toBe(2);
    }
    for (const store of [two, one]) await store.renew([]);
    expect(one.liveNodes).toBe(2);
  });

  it('fails with RedisUnavailable and nothing else when Redis is away', async () => {
    await server.kill();
    const store = node();
    for (const call of [
      () => store.announce(aSession({ appId })),
      () => store.online(appId, ['ann']),
      () => store.sessions(appId, ['ann']),
      () => store.page(appId, '', 10),
      () => store.renew([appId]),
    ])
      await expect(call()).rejects.toBeInstanceOf(RedisUnavailable);
    await server.start();
  });
});
