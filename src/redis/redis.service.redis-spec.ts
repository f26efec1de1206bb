import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { retryTimingTests } from '../../test/support/form.js';
import { SystemClock } from '../clock/clock.js';
import type { Env } from '../config/env.js';
import { captureLog, releaseLog } from '../logging/captured-log.fixture.js';
import { refusalMs } from './circuits.js';
import { RedisServer } from './redis-server.fixture.js';
import { RedisUnavailable } from './redis-unavailable.js';
import { RedisService } from './redis.service.js';

retryTimingTests();

const clock = new SystemClock();
const envWith = (redisUrl: string | null): Env => ({ redisUrl }) as Env;

async function until(condition: () => boolean, withinMs = 4_000): Promise<void> {
  for (const end = clock.monotonic() + withinMs; !condition(); await sleep(5)) {
    if (clock.monotonic() > end) throw new Error('not in time');
  }
}

describe('RedisService', () => {
  let server: RedisServer;
  let redis: RedisService;
  let logged: readonly string[];

  beforeEach(async () => {
    logged = captureLog();
    server = await RedisServer.start();
    redis = new RedisService(envWith(server.url), clock);
    await redis.onModuleInit();
  });

  afterEach(async () => {
    redis.onApplicationShutdown();
    await server.remove();
    releaseLog();
  });

  it('is connected once the module is initialized', async () => {
    expect(redis.enabled).toBe(true);
    expect(redis.available).toBe(true);
    await expect(redis.run('x', (commands) => commands.ping())).resolves.toBe('PONG');
  });

  /** For a hundred at once, beside other suites: far less than the time-out of a hung Redis. */
  const atOnceMs = 125;

  it('waits 250 ms at most for a hung Redis, then fails fast, probes once a second, and recovers', async () => {
    server.hang();
    const slowest = { first: 0, open: 0, probe: 0 };
    const attempt = async (phase: keyof typeof slowest): Promise<void> => {
      const begun = clock.monotonic();
      await expect(redis.run('x', (commands) => commands.get('x'))).rejects.toBeInstanceOf(RedisUnavailable);
      slowest[phase] = Math.max(slowest[phase], clock.monotonic() - begun);
    };
    const first: Promise<void>[] = [];
    for (const end = clock.monotonic() + 190; clock.monotonic() < end; await sleep(10)) first.push(attempt('first'));
    await Promise.all(first);
    await Promise.all(Array.from({ length: 100 }, () => attempt('open')));
    expect(slowest.first).toBeLessThan(250);
    expect(slowest.open).toBeLessThan(atOnceMs);

    // One command a second probes; all others fail fast.
    for (const end = clock.monotonic() + 2_500; clock.monotonic() < end; await sleep(10)) {
      const begun = clock.monotonic();
      await Promise.allSettled([redis.run('x', (commands) => commands.get('x')), attempt('open')]);
      slowest.probe = Math.max(slowest.probe, clock.monotonic() - begun);
    }
    expect(slowest.open).toBeLessThan(atOnceMs);
    expect(slowest.probe).toBeLessThan(250);

    server.resume();
    await until(() => redis.available);
    await expect(redis.run('x', (commands) => commands.ping())).resolves.toBe('PONG');
  });

  it('does not consider Redis hung if it answered while this process itself was stalled', async () => {
    const suspend = (): void => {
      for (const end = clock.monotonic() + 400; clock.monotonic() < end;);
    };
    const sentAfter = redis.run('x', (commands) => commands.ping());
    suspend();
    await expect(sentAfter).resolves.toBe('PONG');
    const sentBefore = redis.run('x', (commands) => commands.ping());
    setImmediate(suspend);
    await expect(sentBefore).resolves.toBe('PONG');
    expect(redis.available).toBe(true);
  });

  it('logs the start and the end of an outage once each, whatever happens in between', async () => {
    await server.kill();
    await until(() => !redis.available);
    await expect(redis.run('x', (commands) => commands.ping())).rejects.toBeInstanceOf(RedisUnavailable);
    await sleep(800);
    expect(logged).toEqual([expect.stringContaining('No connection for commands')]);
    await server.start();
    await until(() => redis.available);
    await sleep(1_200);
    expect(redis.available).toBe(true);
    expect(logged).toEqual([expect.anything(), 'Reconnected for commands.']);
  });

  describe('with a server that responds but accepts no writes', () => {
    const write = () => redis.run('x', (commands) => commands.set('x', 'x'));
    const read = () => redis.run('x', (commands) => commands.get('y'));
    const writeInScript = () => redis.run('x', (commands) => commands.eval("return redis.call('SET', 'x', 'x')", 0));
    /** As presence does with every beat. */
    const untilItServes = async (): Promise<void> => {
      for (const end = clock.monotonic() + 4_000; clock.monotonic() < end; await sleep(50))
        if (await write().catch(() => null)) return;
      throw new Error('not in time');
    };
    let direct: Redis;
    beforeEach(() => (direct = new Redis(server.url)));
    afterEach(() => direct.disconnect());

    it.each([
      ['full', ['maxmemory', '1'], ['maxmemory', '0'], 'OOM command not allowed'],
      ['without its replicas', ['min-replicas-to-write', '1'], ['min-replicas-to-write', '0'], 'NOREPLICAS Not enough'],
    ] as const)('%s: is as good as away, for reads too, and says why', async (_how, [key, bad], [, good], reason) => {
      await direct.config('SET', key, bad);
      await expect(writeInScript()).rejects.toBeInstanceOf(RedisUnavailable);
      for (const end = clock.monotonic() + 2 * refusalMs + 500; clock.monotonic() < end; await sleep(20)) {
        expect(redis.available).toBe(false);
        expect(redis.reason).toContain(reason);
        await expect(read()).rejects.toBeInstanceOf(RedisUnavailable);
      }
      await direct.config('SET', key, good);
      await untilItServes();
      expect([redis.available, redis.reason]).toEqual([true, null]);
      await expect(read()).resolves.toBeNull();
      expect(logged).toEqual([
        expect.stringMatching(`^Redis accepts no writes: ${reason}.*Continuing without it`),
        'Redis accepts writes again.',
      ]);
    });

    it('a replica: the same, logged once while it remains one', async () => {
      await direct.replicaof('127.0.0.1', '1');
      await expect(write()).rejects.toBeInstanceOf(RedisUnavailable);
      for (const end = clock.monotonic() + 2 * refusalMs + 500; clock.monotonic() < end; await sleep(20)) {
        expect(redis.available).toBe(false);
        await expect(write()).rejects.toBeInstanceOf(RedisUnavailable);
      }
      expect(redis.reason).toContain('READONLY');
      await direct.replicaof('NO', 'ONE');
      await untilItServes();
      expect([redis.available, redis.reason]).toEqual([true, null]);
      expect(logged).toEqual([
        expect.stringMatching('^Redis accepts no writes: READONLY.*Continuing without it'),
        'Redis accepts writes again.',
      ]);
    });

    it('a read in flight when a write was refused does not count as accepting writes again', async () => {
      await direct.config('SET', 'maxmemory', '1');
      await Promise.allSettled([write(), read(), read()]);
      expect(redis.available).toBe(false);
    });
  });

  it('passes on errors about the command itself, and keeps sending commands', async () => {
    await redis.run('x', (commands) => commands.set('text', 'x'));
    await expect(redis.run('x', (commands) => commands.lpop('text'))).rejects.toThrow('WRONGTYPE');
    expect(redis.available).toBe(true);
  });

  it('restores a subscription after a restart of Redis, and reports ready again', async () => {
    const heard: string[] = [];
    let readies = 0;
    const subscriber = redis.subscriber();
    subscriber.on('ready', () => readies++);
    subscriber.on('message', (_channel, text) => heard.push(text));
    await subscriber.subscribe('news');
    expect(redis.subscriber()).toBe(subscriber);
    await server.kill();
    await until(() => subscriber.status !== 'ready');
    await server.start();
    await until(() => readies === 2 && redis.available);
    for (const end = clock.monotonic() + 2_000; heard.length === 0 && clock.monotonic() < end; await sleep(20)) {
      await redis.run('x', (commands) => commands.publish('news', 'again'));
    }
    expect(heard[0]).toBe('again');
  });

  it('starts while Redis is down, and connects later', async () => {
    await server.kill();
    const other = new RedisService(envWith(server.url), clock);
    const begun = clock.monotonic();
    await other.onModuleInit();
    expect(clock.monotonic() - begun).toBeLessThan(1_500);
    expect(other.available).toBe(false);
    await server.start();
    await until(() => other.available);
    other.onApplicationShutdown();
  });
});

describe('RedisService without REDIS_URL', () => {
  it('is disabled and fails immediately', async () => {
    const redis = new RedisService(envWith(null), clock);
    await redis.onModuleInit();
    expect([redis.enabled, redis.available]).toEqual([false, false]);
    await expect(redis.run('x', (commands) => commands.ping())).rejects.toBeInstanceOf(RedisUnavailable);
    expect(() => redis.subscriber()).toThrow(RedisUnavailable);
    redis.onApplicationShutdown();
  });
});
