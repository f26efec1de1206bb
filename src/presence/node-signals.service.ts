import { randomBytes } from 'node:crypto';
import { Injectable, Logger } from '@nestjs/common';
import { RedisService } from '../redis/redis.service.js';
import { RedisUnavailable } from '../redis/redis-unavailable.js';
import type { Signal } from './signal.js';

/** Signals kept while Redis is unavailable; beyond that, the oldest are dropped. */
const maxUnsent = 10_000;
const maxSentAtOnce = 200;
/** Signals taken from the mailbox at once. */
const maxTaken = 500;
/** Longer than it takes to find a node dead; signals it has not fetched by then no longer matter. */
const keptMs = 60_000;

/**
 * Carries signals from node to node. Each node has a mailbox in Redis, and a published hint tells it to look at once;
 * it also looks with every lease renewal, so a lost hint only delays a signal. A signal leaves the mailbox only once
 * carried out, so a lost reply loses nothing either. While Redis is unavailable signals wait, and each node reads
 * what must take effect meanwhile from the database.
 */
@Injectable()
export class NodeSignals {
  /** Identifies this run of this process; never reused, not even after a restart. */
  readonly nodeId = randomBytes(9).toString('base64url');
  private readonly logger = new Logger('Presence');
  private receive: (signal: Signal) => void = () => undefined;
  private unsent: { readonly nodeId: string; readonly signal: Signal }[] = [];
  /** Signals already carried out that may still be in the mailbox. */
  private carriedOut = new Set<string>();
  private taking: Promise<void> | null = null;
  private lookAgain = false;

  constructor(private readonly redis: RedisService) {}

  /**
   * From now on passes signals for this node to `receive`.
   * @param onConnected called on every new connection to Redis, as earlier signals may have been missed
   */
  listen(receive: (signal: Signal) => void, onConnected: () => void): void {
    this.receive = receive;
    if (!this.redis.enabled) return;
    const subscriber = this.redis.subscriber();
    subscriber.on('message', () => void this.take());
    subscriber.on('ready', onConnected);
    subscriber.subscribe(channelOf(this.nodeId)).catch((error: unknown) => {
      // A subscription waits out every outage; it fails only when refused or when this process ends.
      if (subscriber.status !== 'end') this.complain(error);
    });
  }

  /** Never fails: what cannot be sent now is sent by a later `take`. */
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
      // Too late to be useful: the receiver has checked by itself by then, and presence has changed again.
      if (signal.kind === 'wake' || signal.kind === 'presence') return;
      // It may have been sent after all, but ending a session is idempotent.
      this.unsent.push({ nodeId, signal });
      if (this.unsent.length > maxUnsent) this.unsent.shift();
    }
  }

  /** Carries out the signals for this node, and sends those that could not be sent before. Never fails. */
  async take(): Promise<void> {
    if (!this.redis.enabled) return;
    await Promise.all([this.takeAll(), this.sendAgain()]);
  }

  /** One run at a time; a hint that arrives meanwhile triggers another. */
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
        // Removed by value: a delayed removal by index would hit signals that arrived since.
        await this.redis.run(mailbox, (redis) => Promise.all(texts.map((text) => redis.lrem(mailbox, 1, text))));
        this.carriedOut.clear();
        if (texts.length === maxTaken) this.lookAgain = true;
      }
    } catch (error) {
      this.complain(error);
    }
  }

  /** An unreadable signal must not block those behind it. */
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

  /** Outages are already logged. */
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
