import { setTimeout as sleep } from 'node:timers/promises';
import { SystemClock } from '../clock/clock.js';
import type { Env } from '../config/env.js';
import { captureLog, releaseLog } from '../logging/captured-log.fixture.js';
import { RedisServer } from '../redis/redis-server.fixture.js';
import { RedisService } from '../redis/redis.service.js';
import { NodeSignals } from './node-signals.service.js';

describe('NodeSignals', () => {
  let server: RedisServer;
  let logged: readonly string[];

  beforeEach(async () => {
    logged = captureLog();
    server = await RedisServer.start();
  });
  afterEach(async () => {
    await server.remove();
    releaseLog();
  });

  it('says nothing of a subscription that this process itself ends before it has begun', async () => {
    const redis = new RedisService({ redisUrl: server.url } as Env, new SystemClock());
    await redis.onModuleInit();
    new NodeSignals(redis).listen(
      () => undefined,
      () => undefined,
    );
    redis.onApplicationShutdown();
    await sleep(50);
    expect(logged).toEqual([]);
  });

  it('says why a subscription is refused', async () => {
    const redis = new RedisService({ redisUrl: server.url } as Env, new SystemClock());
    await redis.onModuleInit();
    await redis.run('x', (commands) => commands.acl('SETUSER', 'default', '-subscribe'));
    new NodeSignals(redis).listen(
      () => undefined,
      () => undefined,
    );
    await sleep(200);
    redis.onApplicationShutdown();
    expect(logged).toEqual([expect.stringMatching(/^Signals between nodes fail: .*NOPERM/)]);
  });
});
