import { setTimeout as sleep } from 'node:timers/promises';
import { TcpProxy } from '../../test/support/tcp-proxy.js';
import { captureLog, releaseLog } from '../logging/captured-log.fixture.js';
import { refusalMs } from '../redis/circuits.js';
import { RedisServer } from '../redis/redis-server.fixture.js';
import type { RedisService } from '../redis/redis.service.js';
import { connectRedis } from '../redis/running-redis.fixture.js';
import { NodeSignals } from './node-signals.service.js';
import type { Signal } from './signal.js';

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

  it('does not log a subscription that this process cancels before it is established', async () => {
    const redis = await connectRedis(server.url);
    new NodeSignals(redis).listen(
      () => undefined,
      () => undefined,
    );
    redis.onApplicationShutdown();
    await sleep(50);
    expect(logged).toEqual([]);
  });

  it('logs why a subscription is refused', async () => {
    const redis = await connectRedis(server.url);
    await redis.run('x', (commands) => commands.acl('SETUSER', 'default', '-subscribe'));
    new NodeSignals(redis).listen(
      () => undefined,
      () => undefined,
    );
    await sleep(200);
    redis.onApplicationShutdown();
    expect(logged).toEqual([expect.stringMatching(/^Signals between nodes fail: .*NOPERM/)]);
  });

  describe('between two nodes, one of which may receive late answers', () => {
    const maxAnswerMs = 200;
    let toReceiver: TcpProxy;
    let toSender: TcpProxy;
    let services: RedisService[];
    let sender: NodeSignals;
    let receiver: NodeSignals;
    let received: Signal[];

    beforeEach(async () => {
      [toReceiver, toSender] = await Promise.all([TcpProxy.to(server.url), TcpProxy.to(server.url)]);
      services = await Promise.all([toReceiver, toSender].map((proxy) => connectRedis(proxy.through(server.url))));
      [receiver, sender] = services.map((redis) => new NodeSignals(redis)) as [NodeSignals, NodeSignals];
      received = [];
      // It does not subscribe, so that it reads signals only when the test says so.
      Object.assign(receiver, { receive: (signal: Signal) => received.push(signal) });
    });
    afterEach(async () => {
      for (const redis of services) redis.onApplicationShutdown();
      await Promise.all([toReceiver.close(), toSender.close()]);
    });

    const closing = (sessionId: string): Signal => ({
      kind: 'close_session',
      appId: 'app',
      sessionId,
      reason: 'forced_offline',
      at: 1,
    });
    const ids = (): string[] => received.map((signal) => (signal.kind === 'close_session' ? signal.sessionId : ''));

    it('a signal is carried out even if the first answer that contains it is late', async () => {
      await sender.send(receiver.nodeId, closing('one'));
      toReceiver.slow(maxAnswerMs * 0.75);
      await receiver.take();
      expect(received).toEqual([]);
      toReceiver.heal();
      await sleep(refusalMs + maxAnswerMs);
      await receiver.take();
      expect(ids()).toEqual(['one']);
    });

    it('a signal whose removal was not confirmed is carried out once, and later ones are not lost', async () => {
      await sender.send(receiver.nodeId, closing('one'));
      Object.assign(receiver, {
        receive: (signal: Signal) => {
          received.push(signal);
          if (received.length === 1) toReceiver.cut();
        },
      });
      await receiver.take();
      await sender.send(receiver.nodeId, closing('two'));
      await sleep(refusalMs + maxAnswerMs);
      await receiver.take();
      await receiver.take();
      expect(ids()).toEqual(['one', 'two']);
    });

    it('an invalid signal does not block the ones behind it', async () => {
      const mailbox = `{node:${receiver.nodeId}}:mailbox`;
      await services[1]?.run(mailbox, (redis) => redis.rpush(mailbox, '{"kind":'));
      await sender.send(receiver.nodeId, closing('one'));
      await receiver.take();
      expect(ids()).toEqual(['one']);
      expect(await services[1]?.run(mailbox, (redis) => redis.llen(mailbox))).toBe(0);
      expect(logged).toEqual([expect.stringMatching(/^Signals between nodes fail: SyntaxError/)]);
    });

    it('unsent signals are sent later, even after thousands of failed wake-ups', async () => {
      toSender.refuse();
      await sender.send(receiver.nodeId, closing('one'));
      for (let index = 0; index < 12_000; index += 1)
        await sender.send(receiver.nodeId, { kind: 'wake', appId: 'app', usernames: ['ann'] });
      toSender.heal();
      await sleep(refusalMs * 2);
      await sender.take();
      await receiver.take();
      expect(ids()).toEqual(['one']);
    });
  });
});
