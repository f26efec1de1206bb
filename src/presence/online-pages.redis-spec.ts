import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import type { RedisService } from '../redis/redis.service.js';
import { type RunningRedis, startRedis } from '../redis/running-redis.fixture.js';
import { aSession, freshApp } from './presence.store.contract.js';
import { RedisPresenceStore } from './redis-presence.store.js';

const longLeaseMs = 600_000;
const totalMs = 200;

describe('the online users of several nodes', () => {
  let running: RunningRedis;
  let redis: RedisService;
  let direct: Redis;
  let appId: string;
  let nodes = 0;
  beforeAll(async () => {
    running = await startRedis();
    ({ redis, direct } = running);
  });
  afterAll(() => running.stop());
  beforeEach(() => (appId = freshApp()));

  /** A node with a real session of the first of these users; the others exist only as names. */
  const nodeWith = async (usernames: readonly string[]): Promise<RedisPresenceStore> => {
    const store = new RedisPresenceStore(`node${nodes++}`, redis, longLeaseMs);
    await store.announce(aSession({ appId, username: usernames[0] as string }));
    const key = `{${appId}}:presence:node:${store.nodeId}.1`;
    for (let start = 0; start < usernames.length; start += 5_000)
      await direct.zadd(key, ...usernames.slice(start, start + 5_000).flatMap((name) => ['0', name]));
    return store;
  };
  const named = (from: number, to: number, step = 1): string[] =>
    Array.from({ length: Math.ceil((to - from) / step) }, (_none, index) => `u-${from + index * step}.x_@`);

  it.each([
    ['share none', [named(0, 3_000), named(3_000, 6_500)]],
    ['share all', [named(0, 2_500), named(0, 2_500)]],
    ['share some', [named(0, 6_000, 2), named(0, 6_000, 3), named(5_990, 9_000)]],
    ['are next to each other in the order of the names', [named(1_000, 2_000), ['a'], ['z', 'zz']]],
  ])('are counted exactly once each when the nodes %s', async (_how, users) => {
    const [store] = await Promise.all(users.map(nodeWith));
    expect((await store?.page(appId, '', 1))?.total).toBe(new Set(users.flat()).size);
  });

  it('are paged across all nodes, each once', async () => {
    const users = [named(0, 2_000, 2), named(0, 2_000, 3)];
    const [store] = await Promise.all(users.map(nodeWith));
    const all: string[] = [];
    for (let page; page === undefined || page.length > 0; all.push(...page))
      page = (await (store as RedisPresenceStore).page(appId, all.at(-1) ?? '', 100)).usernames;
    expect(all).toEqual([...new Set(users.flat())].sort());
  });

  it('are counted again a moment later', async () => {
    const [one, two] = await Promise.all([nodeWith(['a', 'b']), nodeWith(['b', 'c'])]);
    expect((await one.page(appId, '', 10)).total).toBe(3);
    await two.withdraw({ appId, username: 'c', sessionId: '' });
    await sleep(totalMs);
    expect(await one.page(appId, '', 10)).toEqual({ usernames: ['a', 'b'], total: 2 });
  });

  it('10,000 on each of two nodes, listed a hundred times a second: Redis does the work of a page per page', async () => {
    const [one, two] = await Promise.all([nodeWith(named(0, 10_000)), nodeWith(named(9_000, 19_000))]);
    const pages = 200;
    await direct.config('RESETSTAT');
    for (let index = 0; index < pages; index += 1) {
      const page = await (index % 2 === 0 ? one : two).page(appId, `u-${index}`, 101);
      expect([page.usernames.length, page.total]).toEqual([101, 19_000]);
      await sleep(10);
    }
    const stats = await direct.info('commandstats');
    const usec = Number(/cmdstat_evalsha:calls=\d+,usec=(\d+)/.exec(stats)?.[1]);
    process.stdout.write(
      `a page of 10,000 users on each of two nodes takes Redis ${Math.round(usec / pages)} µs, the total among it\n`,
    );
    // A page that counted all of them would take 15,000 to 30,000 µs.
    expect(usec / pages).toBeLessThan(4_000);
  });
});
