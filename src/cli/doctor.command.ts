import type { Command } from 'commander';
import { SystemClock } from '../clock/clock.js';
import { databaseEngine, type Env, EnvError, loadEnv } from '../config/env.js';
import { examineDatabase } from '../database/examination.js';
import { connectWithin, openRedis } from '../redis/redis-connection.js';

interface Finding {
  readonly what: string;
  readonly verdict: 'ok' | 'warning' | 'broken';
  readonly text: string;
}

const redisTimeoutMs = 2_000;
/** Two servers that differ by more sign and expire tokens differently. */
const clockDifferenceMostMs = 5_000;

export function addDoctorCommand(program: Command): void {
  program
    .command('doctor')
    .description('check settings, database, durability, Redis and clock; exit 1 if something is broken')
    .action(async () => {
      const findings = await examine();
      for (const { what, verdict, text } of findings) console.log(`${verdict.padEnd(8)} ${what.padEnd(10)} ${text}`);
      if (findings.some(({ verdict }) => verdict === 'broken')) process.exitCode = 1;
    });
}

async function examine(): Promise<Finding[]> {
  let env: Env;
  try {
    env = loadEnv();
  } catch (error) {
    if (!(error instanceof EnvError)) throw error;
    return error.problems.map((text) => ({ what: 'settings', verdict: 'broken', text }));
  }
  return [
    { what: 'settings', verdict: 'ok', text: 'all are valid' },
    ...(await examineDatabase(env, new SystemClock()).catch((error: unknown) => [broken('database', error)])),
    ...(await examineRedis(env)),
  ];
}

async function examineRedis(env: Env): Promise<Finding[]> {
  if (env.redisUrl === null) {
    const text = 'REDIS_URL is not set: presence and rate limits live in this process, so run one node only';
    return [{ what: 'redis', verdict: databaseEngine(env.databaseUrl) === 'sqlite' ? 'ok' : 'warning', text }];
  }
  const redis = openRedis(env.redisUrl, { connectTimeout: redisTimeoutMs, retryStrategy: () => null });
  try {
    redis.on('error', () => undefined);
    await connectWithin(redis, redisTimeoutMs);
    const [seconds = '0', micros = '0'] = (await redis.call('TIME')) as string[];
    const difference = Math.abs(Number(seconds) * 1000 + Number(micros) / 1000 - new SystemClock().now());
    return [
      { what: 'redis', verdict: 'ok', text: 'answers' },
      difference > clockDifferenceMostMs
        ? { what: 'clock', verdict: 'warning', text: `differs from Redis by ${Math.round(difference)} ms` }
        : { what: 'clock', verdict: 'ok', text: 'agrees with Redis' },
    ];
  } catch (error) {
    return [broken('redis', error)];
  } finally {
    redis.disconnect();
  }
}

function broken(what: string, error: unknown): Finding {
  return { what, verdict: 'broken', text: (error as Error).message || String(error) };
}
