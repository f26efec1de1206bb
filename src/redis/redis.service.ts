import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { Cluster, Redis, type RedisCommander, type RedisOptions } from 'ioredis';
import { Clock } from '../clock/clock.js';
import { Env } from '../config/env.js';
import { Circuits } from './circuits.js';
import { isOwnFault, refusalOf, tryWrite } from './redis-answers.js';
import { connectWithin, openRedis, type RedisConnection } from './redis-connection.js';
import { RedisUnavailable } from './redis-unavailable.js';

/** How long a command may take in total, including redirections by a cluster. */
const maxAnswerMs = 200;
/** How much longer a reply may take if this process was too busy to read it in time. */
const graceMs = 20;
const maxConnectMs = 1_400;
/** A cluster logs one line per failing node within this time. */
const complainEveryMs = 60_000;

const connectionOptions: RedisOptions = {
  connectTimeout: 1_000,
  keepAlive: 5_000,
  autoResendUnfulfilledCommands: false,
  // Not all of our nodes should reconnect in the same millisecond.
  retryStrategy: (attempt) => Math.min(1_000, 25 * 2 ** attempt) * (0.5 + Math.random() / 2),
  // After a failover behind one address, the old primary replies READONLY: only a new connection finds the new one.
  reconnectOnError: (error) => refusalOf(error)?.startsWith('READONLY') ?? false,
};

/**
 * No queue while disconnected and no retries: late commands are worse than refused ones, and a command that timed out
 * may have been executed. No auto-pipelining either: it sends one pipeline after the other, so with a hung Redis a
 * command waits for two time-outs (397 ms measured, against 204). `run` batches writes instead.
 */
const commandOptions: RedisOptions = {
  ...connectionOptions,
  socketTimeout: 1_000,
  maxRetriesPerRequest: 1,
  enableOfflineQueue: false,
};

/** Silence is normal here, and a subscription made during an outage takes effect at its end. */
const subscriberOptions: RedisOptions = { ...connectionOptions, maxRetriesPerRequest: null };

/** A command, and one of its keys or a key in the same slot. */
export type KeyCommand<Answer> = readonly [key: string, command: (redis: RedisCommander) => Promise<Answer>];

/**
 * Owns the connections to Redis if REDIS_URL is set: one for commands, behind a circuit breaker, and one for
 * subscriptions, created on first use. Redis holds only data that may be lost, so nobody waits for it for long. A
 * server that answers but accepts no writes (full, a replica, a failing disk) counts as down: what it would return is
 * stale.
 */
@Injectable()
export class RedisService implements OnModuleInit, OnApplicationShutdown {
  /** Whether REDIS_URL is set at all. */
  readonly enabled: boolean;
  private readonly logger = new Logger('Redis');
  private readonly url: string | null;
  private readonly ca: string | null;
  private readonly commands: RedisConnection | null;
  private subscriptions: RedisConnection | null = null;
  private readonly circuits: Circuits;
  private gathering = false;
  private closing = false;

  constructor(
    env: Env,
    private readonly clock: Clock,
  ) {
    this.circuits = new Circuits(clock, this.logger);
    this.url = env.redisUrl;
    this.ca = env.redisCa;
    this.enabled = this.url !== null;
    this.commands = this.url === null ? null : this.watch(openRedis(this.url, env.redisCa, commandOptions), 'commands');
    this.commands?.on('ready', () => this.circuits.connected());
  }

  /** Connects before the first request, but a Redis that is down does not prevent a start. */
  async onModuleInit(): Promise<void> {
    if (this.commands !== null) await connectWithin(this.commands, maxConnectMs).catch(() => undefined);
  }

  /** In the very last hook: draining requests and nouns that sign off still need Redis in the earlier ones. */
  onApplicationShutdown(): void {
    this.closing = true;
    this.commands?.disconnect();
    this.subscriptions?.disconnect();
  }

  /** Whether there is a connection to a server that answers and accepts writes, as far as is known. */
  get available(): boolean {
    return this.availableFor('') && this.reason === null;
  }

  /** Why a server that answers is of no use now, in its own words; null: it accepts writes, as far as is known. */
  get reason(): string | null {
    return this.circuits.refusal;
  }

  /** Whether a command with this key would be sent now. */
  availableFor(key: string): boolean {
    return this.commands?.status === 'ready' && this.circuits.lets(this.circuitOf(key));
  }

  /**
   * Registers a Lua script as a method of the command connection; it reloads itself after SCRIPT FLUSH or a restart.
   * Without `numberOfKeys`, each call states it before the keys.
   */
  defineScript(name: string, script: { numberOfKeys?: number; lua: string }): void {
    this.commands?.defineCommand(name, script);
  }

  /**
   * Runs commands whose keys are in the slot of `key`. Returns within some 200 ms whatever state Redis is in; after a
   * failure, it refuses at once for `refusalMs`, on a cluster only for the same hash tag. `work` issues its commands in
   * the tick in which it is called; later ones may be sent separately.
   * @throws RedisUnavailable if there is no reply; ReplyError if Redis says that the command is invalid
   */
  async run<Answer>(key: string, work: (redis: RedisCommander) => Promise<Answer>): Promise<Answer> {
    if (this.commands === null || !this.availableFor(key))
      throw new RedisUnavailable('not connected, or it failed just now');
    const circuit = this.circuitOf(key);
    // A server that accepts no writes would answer a read, and prove nothing.
    const wrote = this.circuits.beginTrial(circuit) === 'write';
    try {
      const answer = await this.send(
        this.commands,
        wrote ? (redis) => tryWrite(redis, key).then(() => work(redis)) : work,
      );
      this.circuits.succeed(circuit, wrote);
      return answer;
    } catch (error) {
      if (isOwnFault(error as Error)) {
        this.circuits.succeed(circuit, wrote);
        throw error;
      }
      this.circuits.fail(circuit, refusalOf(error as Error));
      throw new RedisUnavailable((error as Error).message, { cause: error });
    }
  }

  /**
   * Runs commands with keys in different slots. If a cluster has lost some of them, their result is null.
   * @throws RedisUnavailable if none replies; ReplyError if Redis says that a command is invalid
   */
  async runEach<Answer>(commands: readonly KeyCommand<Answer>[]): Promise<(Answer | null)[]> {
    const answers = commands.map((): Answer | null => null);
    const circuits = new Map<string, number[]>();
    for (const [index, [key]] of commands.entries()) {
      const circuit = this.circuitOf(key);
      circuits.set(circuit, [...(circuits.get(circuit) ?? []), index]);
    }
    const failures: unknown[] = [];
    await Promise.all(
      [...circuits.values()].map(async (indexes) => {
        const some = indexes.map((index) => commands[index] as KeyCommand<Answer>);
        const [[key]] = some as [KeyCommand<Answer>];
        try {
          const answered = await this.run(key, (redis) => Promise.all(some.map(([, command]) => command(redis))));
          for (const [place, index] of indexes.entries()) answers[index] = answered[place] as Answer;
        } catch (error) {
          if (!(error instanceof RedisUnavailable)) throw error;
          failures.push(error);
        }
      }),
    );
    if (failures.length > 0 && failures.length === circuits.size) throw failures[0];
    return answers;
  }

  /**
   * The connection for SUBSCRIBE. Pub/sub is at-most-once: on each of its `ready` events, reload everything. On a
   * cluster it moves to another node without one.
   * @throws RedisUnavailable if REDIS_URL is not set
   */
  subscriber(): RedisConnection {
    if (this.url === null) throw new RedisUnavailable('REDIS_URL is not set');
    if (this.subscriptions === null) {
      this.subscriptions = this.watch(openRedis(this.url, this.ca, subscriberOptions), 'subscriptions');
      void this.subscriptions.connect().catch(() => undefined);
    }
    return this.subscriptions;
  }

  /** A cluster fails in parts, and each key here stands for those that are always on the same node. */
  private circuitOf(key: string): string {
    if (!(this.commands instanceof Cluster)) return '';
    return /\{([^}]+)\}/.exec(key)?.[1] ?? key;
  }

  /**
   * Not ioredis' own `commandTimeout`, which considers a Redis hung if its reply was unread for too long because this
   * process was busy, and which starts over with each hop of a redirected command.
   */
  private send<Answer>(commands: RedisConnection, work: (redis: RedisCommander) => Promise<Answer>): Promise<Answer> {
    if (commands instanceof Redis) this.gatherWrites(commands);
    return new Promise((resolve, reject) => {
      const dueAt = this.clock.monotonic() + maxAnswerMs;
      const fail = (): void => reject(new Error('no answer in time'));
      const onDue = (): void => {
        // A timer that is late itself ran before data that has arrived meanwhile was read.
        if (this.clock.monotonic() > dueAt + graceMs) timer = setTimeout(fail, graceMs);
        else fail();
      };
      let timer = setTimeout(onDue, maxAnswerMs);
      work(commands)
        .finally(() => clearTimeout(timer))
        .then(resolve, reject);
    });
  }

  /** One system call for all commands of a turn of the event loop: a quarter less CPU with 64 requests in flight. */
  private gatherWrites({ stream }: Redis): void {
    if (this.gathering) return;
    this.gathering = true;
    stream.cork();
    setImmediate(() => {
      this.gathering = false;
      stream.uncork();
    });
  }

  /** Reports the start of an outage once and its end once, however many attempts lie in between. */
  private watch(redis: RedisConnection, purpose: string): RedisConnection {
    let down = false;
    const wentDown = (reason: string): void => {
      // A replica is left for what may be its master, and may be reached again: that is one refusal and not an outage.
      if (this.reason !== null) return;
      if (!down && !this.closing) this.logger.warn(`No connection for ${purpose}: ${reason}. Retrying.`);
      down = true;
    };
    // An error about several addresses has a code but no message.
    redis.on('error', (error: NodeJS.ErrnoException) => wentDown(error.message || (error.code ?? error.name)));
    redis.on('close', () => wentDown('it was closed'));
    redis.on('ready', () => {
      if (down) this.logger.log(`Reconnected for ${purpose}.`);
      down = false;
    });
    const said = new Map<string, number>();
    redis.on('node error', (error: NodeJS.ErrnoException, node: string) => {
      const now = this.clock.monotonic();
      if (down || this.closing || now - (said.get(node) ?? -Infinity) < complainEveryMs) return;
      said.set(node, now);
      this.logger.warn(
        `The cluster's node ${node} fails for ${purpose}: ${error.message || (error.code ?? error.name)}.`,
      );
    });
    return redis;
  }
}
