import { hash, verify } from '@node-rs/argon2';
import { Injectable } from '@nestjs/common';
import { Env } from '../config/env.js';
import { currentUnit } from '../database/unit-of-work.js';
import { AppError } from '../errors/app-error.js';

export const maxWaiting = 2000;
/**
 * The longest queue, in time: a caller that waits longer has often given up, and its password would be hashed in vain.
 */
const maxWaitMs = 2_000;
/** The queue of a single batch is never too long, however slow the machine is. */
const minWaiting = 60;
/** After a few hashes there is room again. */
const retryAfterMs = 1000;
/** The number of recent hashes by which their duration is estimated. */
const remembered = 15;

interface Waiter {
  readonly admit: () => void;
  readonly refuse: (error: AppError) => void;
}

/**
 * Owns the hashing of passwords (argon2id), by far the most expensive thing that a request can ask for. As many run in
 * parallel as there are processors, in threads of their own; the rest wait in one queue per app, and the apps take
 * turns. When the queues are full, by number or by the time that they would take, the longest one gives way: one app's
 * flood delays only that app.
 */
@Injectable()
export class PasswordHasher {
  /** In the order of their turns; no queue is empty. */
  readonly #lines = new Map<string, Waiter[]>();
  #running = 0;
  #waiting = 0;
  /**
   * How long each recent hash took from its turn to its end, oldest first. Starts with zeros, as the first ones say
   * little.
   */
  #lastMs = Array<number>(remembered).fill(0);

  constructor(private readonly env: Env) {}

  /** The number of hashes being computed. */
  get running(): number {
    return this.#running;
  }

  /** The number of passwords waiting for their turn, over all apps. */
  get waiting(): number {
    return this.#waiting;
  }

  /**
   * The PHC string of a password that `checkPassword` accepted, with a fresh salt and the configured cost.
   * @throws AppError overloaded, Error in an open transaction
   */
  async hash(password: string, appId: string): Promise<string> {
    refuseInTransaction();
    this.#checkRoom(appId);
    return this.#hashInTurn(password, appId);
  }

  /**
   * The same for each of these passwords; null stays null. All or none: if part of a batch were refused, the rest would
   * have been hashed in vain.
   * @throws AppError overloaded, Error in an open transaction
   */
  async hashAll(passwords: readonly (string | null)[], appId: string): Promise<(string | null)[]> {
    if (passwords.some((password) => password !== null)) {
      refuseInTransaction();
      this.#checkRoom(appId);
    }
    return Promise.all(
      passwords.map(async (password) => (password === null ? null : this.#hashInTurn(password, appId))),
    );
  }

  /**
   * Whether the PHC string matches this password, at the cost in the string.
   * @throws AppError overloaded, Error in an open transaction
   */
  async verify(passwordHash: string, password: string, appId: string): Promise<boolean> {
    refuseInTransaction();
    this.#checkRoom(appId);
    return this.#inTurn(appId, () => verify(passwordHash, password));
  }

  #hashInTurn(password: string, appId: string): Promise<string> {
    const { memoryKib, iterations, parallelism } = this.env.passwordCost;
    const cost = { memoryCost: memoryKib, timeCost: iterations, parallelism };
    return this.#inTurn(appId, () => hash(password, cost));
  }

  async #inTurn<Result>(appId: string, work: () => Promise<Result>): Promise<Result> {
    if (this.#running < this.env.passwordConcurrency) this.#running++;
    else await this.#standInLine(appId);
    const begun = performance.now();
    try {
      return await work();
    } finally {
      this.#lastMs = [...this.#lastMs.slice(1), performance.now() - begun];
      this.#admitNext();
    }
  }

  #standInLine(appId: string): Promise<void> {
    return new Promise((admit, refuse) => {
      const line = this.#lines.get(appId);
      if (line === undefined) this.#lines.set(appId, [{ admit, refuse }]);
      else line.push({ admit, refuse });
      this.#waiting++;
    });
  }

  /** Checked before anything joins the queue. A batch that is admitted may make the queue longer than this. */
  #checkRoom(appId: string): void {
    if (this.#running < this.env.passwordConcurrency || this.#waiting < this.#room) return;
    this.#makeRoom(appId);
  }

  /**
   * The median: a process that was paused finds all of its current hashes late once, which must not make the queue look
   * longer.
   */
  get #room(): number {
    const medianMs = this.#lastMs.toSorted((one, other) => one - other)[(remembered - 1) / 2] as number;
    const inTime = (maxWaitMs / medianMs) * this.env.passwordConcurrency;
    return Math.round(Math.min(maxWaiting, Math.max(minWaiting, inTime)));
  }

  /** Sends away the last caller of the longest queue, or the newcomer if its own queue would be the longest. */
  #makeRoom(appId: string): void {
    const longest = [...this.#lines.values()].reduce((one, other) => (other.length > one.length ? other : one));
    const own = this.#lines.get(appId)?.length ?? 0;
    const overloaded = new AppError('overloaded', { retryAfterMs });
    if (own + 1 >= longest.length) throw overloaded;
    longest.pop()?.refuse(overloaded);
    this.#waiting--;
  }

  /** Gives the place of finished work to the next in turn. */
  #admitNext(): void {
    for (const [appId, line] of this.#lines) {
      this.#lines.delete(appId);
      const next = line.shift();
      if (line.length > 0) this.#lines.set(appId, line);
      this.#waiting--;
      next?.admit();
      return;
    }
    this.#running--;
  }
}

/** A hash may wait for seconds, and on SQLite every other write would wait behind the transaction. */
function refuseInTransaction(): void {
  if (currentUnit()?.isOpen === true)
    throw new Error(
      'a password must not be hashed or verified while a transaction is open: do so before the first write',
    );
}
