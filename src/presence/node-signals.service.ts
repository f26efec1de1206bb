import { randomBytes } from 'node:crypto';
import { Injectable, Logger } from '@nestjs/common';
import type { Result } from 'ioredis';
import { RedisService } from '../redis/redis.service.js';
import { RedisUnavailable } from '../redis/redis-unavailable.js';
import type { Signal } from './signal.js';

/** Signals that wait for Redis to come back; of more, the oldest are dropped. */
const unsentMost = 10_000;
/** Longer than a node needs to be found dead; what it has not fetched by then concerns nobody. */
const keptMs = 60_000;

const takeScript = `
local all = redis.call('LRANGE', KEYS[1], 0, -1)
redis.call('DEL', KEYS[1])
return all
`;

declare module 'ioredis' {
  interface RedisCommander<Context> {
    takeSignals(mailbox: string): Result<string[], Context>;
  }
}

/**
 * Carries signals from node to node. Each node has a mailbox in Redis, and a published hint tells it to look at once;
 * it also looks with every renewal of its lease, so a lost hint delays a signal and never loses it. With Redis away
 * signals wait: what must hold meanwhile is read from the database by each node itself.
 */
@Injectable()
export class NodeSignals {
  /** This start of this process: nobody else is ever called so, not even the next start. */
  readonly nodeId = randomBytes(9).toString('base64url');
  private readonly logger = new Logger('Presence');
  private receive: (signal: Signal) => void = () => undefined;
  private readonly unsent: { readonly nodeId: string; readonly signal: Signal }[] = [];

  constructor(private readonly redis: RedisService) {
    redis.defineScript('takeSignals', { numberOfKeys: 1, lua: takeScript });
  }

  /**
   * From now on hands what comes for this node to `receive`.
   * @param onConnected called whenever a connection to Redis begins: what was said before it may have been missed
   */
  listen(receive: (signal: Signal) => void, onConnected: () => void): void {
    this.receive = receive;
    if (!this.redis.enabled) return;
    const subscriber = this.redis.subscriber();
    subscriber.on('message', () => void this.take());
    subscriber.on('ready', onConnected);
    subscriber.subscribe(channelOf(this.nodeId)).catch((error: unknown) => {
      // A subscription waits through every outage: it fails when it is refused, or when this process ends.
      if (subscriber.status !== 'end') this.complain(error);
    });
  }

  /** Never fails: what cannot be sent now goes with a later `take`. */
  async send(nodeId: string, signal: Signal): Promise<void> {
    const mailbox = mailboxOf(nodeId);
    try {
      await this.redis.run(mailbox, (redis) =>
        Promise.all([
          redis.rpush(mailbox, JSON.stringify(signal)),
          redis.pexpire(mailbox, keptMs),
          redis.publish(channelOf(nodeId), ''),
        ]),
      );
    } catch (error) {
      this.complain(error);
      // Perhaps it was sent after all; to end a session twice is to end it once.
      this.unsent.push({ nodeId, signal });
      if (this.unsent.length > unsentMost) this.unsent.shift();
    }
  }

  /** Fetches what has come for this node, and sends what could not be sent before. Never fails. */
  async take(): Promise<void> {
    if (!this.redis.enabled) return;
    try {
      const mailbox = mailboxOf(this.nodeId);
      const texts = await this.redis.run(mailbox, (redis) => redis.takeSignals(mailbox));
      for (const text of texts) this.receive(JSON.parse(text) as Signal);
      await Promise.all(this.unsent.splice(0).map(({ nodeId, signal }) => this.send(nodeId, signal)));
    } catch (error) {
      this.complain(error);
    }
  }

  /** An outage is in the log already. */
  private complain(error: unknown): void {
    if (!(error instanceof RedisUnavailable)) this.logger.error(`Signals between nodes fail: ${String(error)}`);
  }
}

function channelOf(nodeId: string): string {
  return `node:${nodeId}`;
}

function mailboxOf(nodeId: string): string {
  return `{node:${nodeId}}:mailbox`;
}
