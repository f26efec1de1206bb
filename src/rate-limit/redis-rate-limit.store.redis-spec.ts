import { setTimeout as sleep } from 'node:timers/promises';
import { ConsoleLogger, Logger } from '@nestjs/common';
import { Redis } from 'ioredis';
import { SystemClock } from '../clock/clock.js';
import { RedisServer } from '../redis/redis-server.fixture.js';
import type { RedisService } from '../redis/redis.service.js';
import { connectRedis } from '../redis/running-redis.fixture.js';
import {
  type Call,
  callOnce,
  freshKey,
  overfullWindows,
  rateLimitStoreContract,
  type StoreUnderTest,
} from './rate-limit.store.contract.js';
import { RedisRateLimitStore } from './redis-rate-limit.store.js';

const sharedUrl = process.env['TEST_REDIS_URL'] as string;
const clock = new SystemClock();

function underTest(redis: RedisService, nodes?: () => number): StoreUnderTest {
  const store = new RedisRateLimitStore(redis, clock, nodes);
  // The two clocks may drift, and Redis may read a different instant within the same microsecond.
  return { store, clock, pass: async (ms) => void (await sleep(ms)), driftMs: 2, numRuns: 25 };
}

describe('RedisRateLimitStore', () => {
  let services: RedisService[];
  let direct: Redis;
  beforeAll(async () => {
    services = await Promise.all([connectRedis(sharedUrl), connectRedis(sharedUrl), connectRedis(sharedUrl)]);
    direct = new Redis(sharedUrl);
  });
  afterAll(() => {
    for (const redis of services) redis.onApplicationShutdown();
    direct.disconnect();
  });

  rateLimitStoreContract(() => underTest(services[0] as RedisService));

  it('never admits more than the limit across three nodes', async () => {
    const nodes = services.map((redis) => underTest(redis));
    const key = freshKey();
    const calls: Promise<Call>[] = [];
    for (const end = clock.monotonic() + 2_100; clock.monotonic() < end; await sleep(1)) {
      for (const node of nodes) for (let i = 0; i < 3; i++) calls.push(callOnce(node, key, 100, 1_000));
    }
    const made = await Promise.all(calls);
    expect(overfullWindows(made, 100, 1_000, 2)).toBe(0);
    expect(made.filter((call) => call.allowed).length).toBeGreaterThanOrEqual(200);
  });

  it('gives each key a TTL, and stores no more entries than the limit', async () => {
    const { store } = underTest(services[0] as RedisService);
    const key = freshKey();
    for (let i = 0; i < 20; i++) await store.consume(key, 5, 1_000);
    expect(await direct.llen(key)).toBe(5);
    expect(await direct.pttl(key)).toBeGreaterThan(1_000);
    expect(await direct.pttl(key)).toBeLessThanOrEqual(2_000);
  });

  it('admits no extra calls when the clock of Redis steps back, and blocks no one for longer than a window', async () => {
    const { store } = underTest(services[0] as RedisService);
    const key = freshKey();
    const inAnHour = (Date.now() + 3_600_000) * 1_000;
    await direct.lpush(key, inAnHour - 1_000, inAnHour);
    expect((await store.consume(key, 3, 200)).allowed).toBe(true);
    const no = await store.consume(key, 3, 200);
    expect(no.allowed).toBe(false);
    expect(no.retryAfterMs).toBeLessThanOrEqual(200);
    await sleep(no.retryAfterMs + 2);
    expect((await store.consume(key, 3, 200)).allowed).toBe(true);
  });

  it('admits no extra calls when that step is smaller than the window', async () => {
    const { store } = underTest(services[0] as RedisService);
    const key = freshKey();
    const now = Date.now() * 1_000;
    await direct.lpush(key, now - 100_000, now + 300_000);
    expect((await store.consume(key, 2, 1_000)).allowed).toBe(false);
    expect((await store.consume(key, 2, 1_000)).retryAfterMs).toBeLessThanOrEqual(1_000);
  });

  it('caches a refusal: answers synchronously, and sends nothing', async () => {
    const { store } = underTest(services[0] as RedisService);
    const key = freshKey();
    await store.consume(key, 1, 60_000);
    await store.consume(key, 1, 60_000);
    expect(store.consume(key, 1, 60_000)).toMatchObject({ allowed: false, limit: 1, remaining: 0 });
  });

  it('sees a refund by another node within about a second', async () => {
    const [one, other] = [underTest(services[0] as RedisService), underTest(services[1] as RedisService)];
    const key = freshKey();
    await one.store.consume(key, 1, 60_000);
    expect((await other.store.consume(key, 1, 60_000)).allowed).toBe(false);
    await one.store.refund(key);
    await sleep(1_050);
    expect((await other.store.consume(key, 1, 60_000)).allowed).toBe(true);
  });

  it('reloads its script after SCRIPT FLUSH', async () => {
    const { store } = underTest(services[0] as RedisService);
    await store.consume(freshKey(), 1, 1_000);
    await direct.script('FLUSH');
    const key = freshKey();
    await Promise.all(Array.from({ length: 10 }, async () => store.consume(key, 10, 1_000)));
    expect(await direct.llen(key)).toBe(10);
  });
});

describe('RedisRateLimitStore when Redis fails', () => {
  let server: RedisServer;
  let redis: RedisService;
  let errors: string[];
  beforeEach(async () => {
    errors = [];
    const ignore = (): void => undefined;
    Logger.overrideLogger({ log: ignore, warn: ignore, error: (text: string) => errors.push(text) });
    server = await RedisServer.start();
    redis = await connectRedis(server.url);
  });
  afterEach(async () => {
    redis.onApplicationShutdown();
    await server.remove();
    Logger.overrideLogger(new ConsoleLogger());
  });

  it.each(['dies', 'hangs'])('Redis %s: the node admits its share without an error, and recovers', async (how) => {
    const under = underTest(redis, () => 3);
    const observer = new Redis(server.url);
    observer.on('error', () => undefined);
    const before = freshKey();
    await under.store.consume(before, 30, 60_000);
    expect(await observer.llen(before)).toBe(1);

    if (how === 'dies') await server.kill();
    else server.hang();
    const key = freshKey();
    const made = await Promise.all(Array.from({ length: 100 }, () => callOnce(under, key, 30, 60_000)));
    expect(made.filter((call) => call.allowed)).toHaveLength(10);
    // The exact time is up to RedisService.
    expect(Math.max(...made.map((call) => call.to - call.from))).toBeLessThan(1_000);
    expect(await under.store.consume(freshKey(), 1, 60_000)).toMatchObject({ allowed: true, limit: 1 });
    await under.store.refund(key);
    expect((await callOnce(under, key, 30, 60_000)).allowed).toBe(true);

    if (how === 'dies') await server.start();
    else server.resume();
    const after = freshKey();
    for (const end = clock.monotonic() + 5_000; clock.monotonic() < end; await sleep(50)) {
      await under.store.consume(after, 1_000, 60_000);
      if (observer.status === 'ready' && (await observer.llen(after)) > 0) break;
    }
    expect(await observer.llen(after)).toBeGreaterThan(0);
    observer.disconnect();
  });

  it('a command that Redis rejects is logged once, and no caller sees it', async () => {
    const { store } = underTest(redis);
    const key = freshKey();
    await redis.run(key, (commands) => commands.set(key, 'not a list'));
    for (let i = 0; i < 5; i++) expect((await store.consume(key, 5, 60_000)).allowed).toBe(true);
    expect((await store.consume(key, 5, 60_000)).allowed).toBe(false);
    await store.refund(key);
    expect(errors).toEqual([expect.stringContaining('WRONGTYPE')]);
  });
});
