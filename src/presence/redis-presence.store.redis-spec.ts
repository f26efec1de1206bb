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

// Long enough to tolerate a brief stall of the machine.
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

  it("a session is visible to every node until its own node's lease expires", async () => {
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

  it('a user connected to two nodes is counted once, and stays online when one of them dies', async () => {
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

  it('a node whose lease expired learns so on renewal, and its old sessions never count again', async () => {
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

  it('a node whose lease expired also learns so from an announcement', async () => {
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

  it('devices are counted across all nodes, and simultaneous logins replace exactly the surplus', async () => {
    const stores = [node(), node(), node()];
    const announced = await Promise.all(
      Array.from({ length: 30 }, (_, index) => announce(stores[index % 3] as RedisPresenceStore)),
    );
    const replaced = announced.flatMap((one) => one.replaced.map((session) => session.sessionId));
    expect(new Set(replaced).size).toBe(30 - devicesPerPlatform);
    expect(replaced).toHaveLength(30 - devicesPerPlatform);
    expect((await node().sessions(appId, ['ann']))[0]).toHaveLength(devicesPerPlatform);
  });

  it('a lease from before the clock was set back expires immediately', async () => {
    const [one, two] = [node(), node()];
    const { session } = await announce(one);
    await direct.hset(`{${appId}}:presence:nodes`, session.node, Date.now() + 3_600_000);
    expect(await two.online(appId, ['ann'])).toEqual([false]);
    expect(await one.renew([appId])).toBe(false);
  });

  it('every key has a TTL, and the keys of an app share a slot', async () => {
    await announce(node());
    const keys = await direct.keys(`{${appId}}:*`);
    expect(keys).toHaveLength(3);
    for (const key of keys) expect(await direct.pttl(key)).toBeGreaterThan(0);
    const slots = await Promise.all(keys.map((key) => direct.cluster('KEYSLOT', key).catch(() => 0)));
    expect(new Set(slots).size).toBe(1);
  });

  it('looks up 100 users with one command', async () => {
    const store = node();
    await announce(store);
    const names = Array.from({ length: 100 }, (_, index) => `u${index}`);
    await store.online(appId, names);
    const commandsBefore = await commands();
    await store.online(appId, names);
    // Redis also counts the reads inside the script; these are the commands of clients.
    expect((await commands()) - commandsBefore).toBe(1);
  });
  async function commands(): Promise<number> {
    const stats = await direct.info('commandstats');
    return Number(/cmdstat_evalsha:calls=(\d+)/.exec(stats)?.[1] ?? 0);
  }

  it('counts the live nodes', async () => {
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

  it('still counts the other nodes after Redis has lost its data, until they have had time to come back', async () => {
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

  it('fails only with RedisUnavailable when Redis is down', async () => {
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
