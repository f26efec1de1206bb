import { randomBytes } from 'node:crypto';
import { Injectable, Logger } from '@nestjs/common';
import { RedisService } from '../redis/redis.service.js';
import { RedisUnavailable } from '../redis/redis-unavailable.js';
import type { Signal } from './signal.js';

/** Signals that wait for Redis to come back; beyond that, the oldest are dropped. */
const maxUnsent = 10_000;
const maxSentAtOnce = 200;
/** How many signals are taken at once. */
const maxTaken = 500;
/** Longer than a node needs to be found dead; what it has not fetched by then concerns nobody. */
const keptMs = 60_000;

/**
 * Carries signals from node to node. Each node has a mailbox in Redis, and a published hint tells it to look at once;
 * it also looks with every renewal of its lease, so a lost hint delays a signal and never loses it. A signal leaves the
 * mailbox only after it was carried out, so an answer that is lost loses nothing either. With Redis away signals wait: what must hold meanwhile is read from the database by each node itself.
 */
@Injectable()
export class NodeSignals {
  /** This start of this process: nobody else is ever called so, not even the next start. */
  readonly nodeId = randomBytes(9).toString('base64url');
  private readonly logger = new Logger('Presence');
  private receive: (signal: Signal) => void = () => undefined;
  private unsent: { readonly nodeId: string; readonly signal: Signal }[] = [];
  /** Signals that were carried out and are perhaps in the mailbox still. */
  private carriedOut = new Set<string>();
  private taking: Promise<void> | null = null;
  private lookAgain = false;

  constructor(private readonly redis: RedisService) {}

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
      // A wake-up that late helps nobody: by then the receiver has looked by itself. And who was online has changed again.
      if (signal.kind === 'wake' || signal.kind === 'presence') return;
      // Perhaps it was sent after all; to end a session twice is to end it once.
      this.unsent.push({ nodeId, signal });
      if (this.unsent.length > maxUnsent) this.unsent.shift();
    }
  }

  /** Carries out what has come for this node, and sends what could not be sent before. Never fails. */
  async take(): Promise<void> {
    if (!this.redis.enabled) return;
    await Promise.all([this.takeAll(), this.sendAgain()]);
  }

  /** One at a time; a hint that comes meanwhile is not forgotten. */
  private takeAll(): Promise<void> {
    this.lookAgain = true;
    this.taking ??= this.takeInTurn().finally(() => (this.taking = null));
    return this.taking;
  }

  private async takeInTurn(): Promise<void> {
    const mailbox = mailboxOf(this.nodeId);
    try {
      while (this.lookAgain) {
        this.lookAgain = false;
        const texts = await this.redis.run(mailbox, (redis) => redis.lrange(mailbox, 0, maxTaken - 1));
        if (texts.length === 0) continue;
        for (const text of texts) if (!this.carriedOut.has(text)) this.carryOut(text);
        this.carriedOut = new Set(texts);
        // Each by its text, as a removal by place that arrives late would hit signals that came since.
        await this.redis.run(mailbox, (redis) => Promise.all(texts.map((text) => redis.lrem(mailbox, 1, text))));
        this.carriedOut.clear();
        if (texts.length === maxTaken) this.lookAgain = true;
      }
    } catch (error) {
      this.complain(error);
    }
  }

  /** One that nobody understands must not stand in the way of those behind it. */
  private carryOut(text: string): void {
    try {
      this.receive(JSON.parse(text) as Signal);
    } catch (error) {
      this.complain(error);
    }
  }

  private async sendAgain(): Promise<void> {
    const { unsent } = this;
    this.unsent = [];
    for (let start = 0; start < unsent.length; start += maxSentAtOnce) {
      const some = unsent.slice(start, start + maxSentAtOnce);
      await Promise.all(some.map(({ nodeId, signal }) => this.send(nodeId, signal)));
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
