import type { Clock } from '../clock/clock.js';
import { databaseEngine, type Env } from '../config/env.js';
import { connectWithin, openRedis, type RedisConnection, serversOf } from './redis-connection.js';

/** One line of `doctor`'s output. */
interface Finding {
  readonly what: string;
  readonly verdict: 'ok' | 'warning' | 'broken';
  readonly text: string;
}

const redisTimeoutMs = 2_000;
/** Two servers whose clocks differ by more issue and expire tokens differently. */
const maxClockDifferenceMs = 5_000;

/**
 * Whether Redis answers, accepts writes, evicts nothing and agrees about the time. @throws if it does not answer or
 * refuses
 */
export async function examineRedis(env: Env, clock: Clock): Promise<Finding[]> {
  if (env.redisUrl === null) {
    const text = 'REDIS_URL is not set: presence and rate limits live in this process, so run one node only';
    return [{ what: 'redis', verdict: databaseEngine(env.databaseUrl) === 'sqlite' ? 'ok' : 'warning', text }];
  }
  const redis = openRedis(env.redisUrl, env.redisCa, { connectTimeout: redisTimeoutMs, retryStrategy: () => null });
  try {
    redis.on('error', () => undefined);
    await connectWithin(redis, redisTimeoutMs);
    const [seconds = '0', micros = '0'] = (await redis.call('TIME')) as string[];
    const difference = Math.abs(Number(seconds) * 1000 + Number(micros) / 1000 - clock.now());
    return [
      await examineWrites(redis),
      await examineEviction(redis),
      difference > maxClockDifferenceMs
        ? { what: 'clock', verdict: 'warning', text: `differs from Redis by ${Math.round(difference)} ms` }
        : { what: 'clock', verdict: 'ok', text: 'agrees with Redis' },
    ];
  } finally {
    redis.disconnect();
  }
}

/** A full server or a replica answers everything except writes. */
async function examineWrites(redis: RedisConnection): Promise<Finding> {
  await redis.set('{doctor}:trial', '', 'PX', 1_000);
  return { what: 'redis', verdict: 'ok', text: 'answers and accepts writes' };
}

async function examineEviction(redis: RedisConnection): Promise<Finding> {
  const memory = await Promise.all(serversOf(redis).map((server) => server.info('memory').catch(() => '')));
  const policies = memory.map((text) => /^maxmemory_policy:(.*?)\r?$/m.exec(text)?.[1]);
  // Without a limit nothing is ever evicted.
  const evicting = policies.filter(
    (policy, index) =>
      policy !== undefined && policy !== 'noeviction' && !/^maxmemory:0\r?$/m.test(memory[index] ?? ''),
  );
  if (evicting.length > 0) {
    const text = `maxmemory-policy is ${[...new Set(evicting)].join(', ')}: under memory pressure, users who are online are shown offline and rate limits start anew; set it to noeviction`;
    return { what: 'redis', verdict: 'warning', text };
  }
  if (policies.includes(undefined))
    return { what: 'redis', verdict: 'ok', text: 'does not report its maxmemory-policy, which should be noeviction' };
  return { what: 'redis', verdict: 'ok', text: 'evicts nothing' };
}
