import { Redis } from 'ioredis';
import { SystemClock } from '../clock/clock.js';
import type { Env } from '../config/env.js';
import { RedisServer } from './redis-server.fixture.js';
import { RedisService } from './redis.service.js';

/** A server of the test's own, the service that uses it, and a connection past the service. */
export interface RunningRedis {
  readonly server: RedisServer;
  readonly redis: RedisService;
  readonly direct: Redis;
  stop(): Promise<void>;
}

export async function startRedis(): Promise<RunningRedis> {
  const server = await RedisServer.start();
  const redis = await connectRedis(server.url);
  const direct = new Redis(server.url);
  return {
    ...{ server, redis, direct },
    async stop() {
      redis.onApplicationShutdown();
      direct.disconnect();
      await server.remove();
    },
  };
}

/** The service as a node has it once it has started. */
export async function connectRedis(redisUrl: string): Promise<RedisService> {
  const redis = new RedisService({ redisUrl } as Env, new SystemClock());
  await redis.onModuleInit();
  return redis;
}
