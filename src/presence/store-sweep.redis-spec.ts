import type { Redis } from 'ioredis';
import type { App } from '../apps/app.js';
import type { RedisService } from '../redis/redis.service.js';
import { type RunningRedis, startRedis } from '../redis/running-redis.fixture.js';
import { type LocalSession, LocalSessions } from './local-sessions.js';
import { renewEveryMs } from './presence.store.js';
import { aSession, freshApp } from './presence.store.contract.js';
import { RedisPresenceStore } from './redis-presence.store.js';
import { runsPerRound, StoreSweep } from './store-sweep.js';

const promisedMs = 60_000;
const users = 300;

describe('StoreSweep', () => {
  let running: RunningRedis;
  let redis: RedisService;
  let direct: Redis;
  let appId: string;
  let nodes = 0;
  let store: RedisPresenceStore;
  let other: RedisPresenceStore;
  let local: LocalSessions;
  let sweep: StoreSweep;

  beforeAll(async () => {
    running = await startRedis();
    ({ redis, direct } = running);
  });
  afterAll(() => running.stop());
  beforeEach(() => {
    appId = freshApp();
    [store, other] = [
      new RedisPresenceStore(`node${nodes++}`, redis, promisedMs),
      new RedisPresenceStore(`node${nodes++}`, redis, promisedMs),
    ];
    local = new LocalSessions();
    sweep = new StoreSweep(store, local, async () => {
      for (const one of local) if (!one.announced) await announce(one);
    });
  });

  const announce = async (one: LocalSession): Promise<void> => {
    const announced = await store.announce(one.session);
    one.session = announced?.session ?? one.session;
    one.announced = announced !== null;
  };
  const open = async (username: string): Promise<LocalSession> => {
    const one = {
      app: { id: appId } as App,
      session: aSession({ appId, username }),
      state: 'open',
      announced: false,
    } as LocalSession;
    local.add(one);
    await announce(one);
    return one;
  };
  const close = async (one: LocalSession): Promise<void> => {
    local.remove(one);
    await store.withdraw(one.session);
  };
  /** The number of beats within the promised time. */
  const sweepForAMinute = async (): Promise<void> => {
    for (let ms = renewEveryMs; ms < promisedMs; ms += renewEveryMs) await sweep.run(local.size > 0 ? [appId] : []);
  };
  const names = Array.from({ length: users }, (_none, index) => `user${String(index).padStart(3, '0')}`);
  const seen = async () => {
    const online = await Promise.all(
      [0, 1, 2].map((hundred) => other.online(appId, names.slice(hundred * 100, hundred * 100 + 100))),
    );
    return {
      online: names.filter((_name, index) => online.flat()[index]),
      total: (await other.page(appId, '', 1)).total,
    };
  };

  it('two rounds fit into the promised time', () => {
    expect(2 * runsPerRound * renewEveryMs).toBeLessThan(promisedMs);
  });

  it('whichever keys Redis evicts, exactly the same users are online again within a minute', async () => {
    for (const name of names) await open(name);
    for (const fraction of [0.1, 0.5, 1]) {
      const lease = `{${appId}}:presence:nodes`;
      const keys = (await direct.keys(`{${appId}}:*`)).filter((key) => key !== lease && Math.random() < fraction);
      await direct.del(keys);
      expect((await seen()).online.length).toBeLessThan(users);
      await sweepForAMinute();
      expect(await seen()).toEqual({ online: names, total: users });
    }
  });

  it('sessions whose withdrawal was lost in a failover are gone within a minute, and the count is right', async () => {
    const all = [];
    for (const name of names) all.push(await open(name));
    const second = await open(names[0] as string);
    // The state of a lagging replica.
    const keys = await direct.keys(`{${appId}}:*`);
    const dumps = await Promise.all(keys.map((key) => direct.dumpBuffer(key)));
    for (const one of all.slice(0, 150)) await close(one);
    await Promise.all(keys.map((key, index) => direct.restore(key, 0, dumps[index] as Buffer, 'REPLACE')));
    expect(await seen()).toEqual({ online: names, total: users });
    await sweepForAMinute();
    // The first user still has another session open.
    expect(await seen()).toEqual({ online: [names[0], ...names.slice(150)], total: 151 });
    expect(await other.sessions(appId, [names[0] as string])).toEqual([[second.session]]);
  });

  it('names without a session are removed, even very many', async () => {
    const one = await open('ann');
    const ghosts = Array.from({ length: 3_000 }, (_none, index) => ['0', `ghost${index}`]).flat();
    await direct.zadd(`{${appId}}:presence:node:${one.session.node}`, ...ghosts);
    expect((await seen()).total).toBe(3_001);
    await sweepForAMinute();
    expect((await other.page(appId, '', 10)).usernames).toEqual(['ann']);
    expect((await seen()).total).toBe(1);
  });

  it('keeps the sessions of other nodes, and the time of the first announcement', async () => {
    const { session } = await open('ann');
    const elsewhere = await other.announce(aSession({ appId, username: 'ann' }));
    await direct.del(`{${appId}}:presence:node:${session.node}`);
    await sweepForAMinute();
    expect(await other.sessions(appId, ['ann'])).toEqual([[session, elsewhere?.session]]);
  });

  it('costs a few calls per beat, not one per session, and keeps the keys of idle sessions from expiring', async () => {
    for (const name of names) await open(name);
    const user = `{${appId}}:presence:user:${names[7]}`;
    await direct.pexpire(user, promisedMs);
    const calls = async () => Number(/cmdstat_evalsha:calls=(\d+)/.exec(await direct.info('commandstats'))?.[1]);
    const before = await calls();
    for (let run = 0; run < runsPerRound; run += 1) await sweep.run([appId]);
    // One for each part of the node's own sessions, and for the few parts of the walk.
    expect((await calls()) - before).toBeLessThanOrEqual(runsPerRound + 5);
    expect(await direct.pttl(user)).toBeGreaterThan(promisedMs);
  });
});
