import { ConsoleLogger, Logger } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import { SystemClock } from '../clock/clock.js';
import type { Env } from '../config/env.js';
import { RedisServer } from '../redis/redis-server.fixture.js';
import { RedisService } from '../redis/redis.service.js';
import { NodeSignals } from './node-signals.service.js';

describe('NodeSignals', () => {
  let server: RedisServer;
  let logged: string[];

  beforeEach(async () => {
    logged = [];
    const note = (text: string): unknown => logged.push(text);
    Logger.overrideLogger({ log: note, warn: note, error: note });
    server = await RedisServer.start();
  });
  afterEach(async () => {
    await server.remove();
    Logger.overrideLogger(new ConsoleLogger());
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
