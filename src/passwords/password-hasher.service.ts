import { hash, verify } from '@node-rs/argon2';
import { Injectable } from '@nestjs/common';
import { Env } from '../config/env.js';
import { currentUnit } from '../database/unit-of-work.js';
import { AppError } from '../errors/app-error.js';

export const maxWaiting = 2000;
/** The longest line in time: who waits for longer has often given up, and is then hashed in vain. */
const maxWaitMs = 2_000;
/** A line of one batch is never too long, however slow the machine is. */
const minWaiting = 60;
/** After some hashes there is room again. */
const retryAfterMs = 1000;
/** As many of the last hashes tell how long one takes. */
const remembered = 15;

interface Waiter {
  readonly admit: () => void;
  readonly refuse: (error: AppError) => void;
}

/**
 * Owns the work of hashing passwords (argon2id), by far the dearest thing that a request can ask for. So many at once
 * as there are processors to do it, in threads of their own; the rest waits in one line for each app, and the apps take
 * turns. When the lines are full, by number or by the time that they would take, the longest gives way: a flood of one app
 * is the trouble of that app.
 */
@Injectable()
export class PasswordHasher {
  /** In the order of their turns; no line is empty. */
  readonly #lines = new Map<string, Waiter[]>();
  #running = 0;
  #waiting = 0;
  /** How long each of the last hashes took from its turn to its end, the oldest first. Zeros: the first ones say little. */
  #lastMs = Array<number>(remembered).fill(0);

  constructor(private readonly env: Env) {}

  /** How many hashes are being computed now. */
  get running(): number {
    return this.#running;
  }

  /** How many wait for their turn now, over all apps. */
  get waiting(): number {
    return this.#waiting;
  }

  /**
   * The PHC string of a password that `checkPassword` let pass, with a fresh salt and the cost of the settings.
   * @throws AppError overloaded, Error in an open transaction
   */
  async hash(password: string, appId: string): Promise<string> {
    refuseInTransaction();
    this.#checkRoom(appId);
    return this.#hashInTurn(password, appId);
  }

  /**
   * The same for each of these passwords; null stays null. All of them or none: a batch of which a part were refused
   * would have been hashed in vain.
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
   * Whether the PHC string is this password's, at the cost that the string names.
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

  /** Before somebody stands in line. What is let in together may make the line longer than this by one batch. */
  #checkRoom(appId: string): void {
    if (this.#running < this.env.passwordConcurrency || this.#waiting < this.#room) return;
    this.#makeRoom(appId);
  }

  /** Their median: a process that stood still for a while finds all its hashes late once, and no line gets longer by it. */
  get #room(): number {
    const medianMs = this.#lastMs.toSorted((one, other) => one - other)[(remembered - 1) / 2] as number;
    const inTime = (maxWaitMs / medianMs) * this.env.passwordConcurrency;
    return Math.round(Math.min(maxWaiting, Math.max(minWaiting, inTime)));
  }

  /** Sends the last of the longest line away, or the newcomer if the own line would be the longest. */
  #makeRoom(appId: string): void {
    const longest = [...this.#lines.values()].reduce((one, other) => (other.length > one.length ? other : one));
    const own = this.#lines.get(appId)?.length ?? 0;
    const overloaded = new AppError('overloaded', { retryAfterMs });
    if (own + 1 >= longest.length) throw overloaded;
    longest.pop()?.refuse(overloaded);
    this.#waiting--;
  }

  /** Hands the place of finished work to the next in turn. */
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

/** Whoever hashes may stand in line for seconds, and on SQLite every other write would wait behind the transaction. */
function refuseInTransaction(): void {
  if (currentUnit()?.isOpen === true)
    throw new Error(
      'a password must not be hashed or verified while a transaction is open: do so before the first write',
    );
}
