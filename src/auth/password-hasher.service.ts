import { hash, verify } from '@node-rs/argon2';
import { Injectable } from '@nestjs/common';
import { Env } from '../config/env.js';
import { AppError } from '../errors/app-error.js';

export const waitingMost = 2000;
/** 2,000 hashes take some seconds on a small machine; after one of them there is room again. */
const retryAfterMs = 1000;

interface Waiter {
  readonly admit: () => void;
  readonly refuse: (error: AppError) => void;
}

/**
 * Owns the work of hashing passwords (argon2id), by far the dearest thing that a request can ask for. So many at once
 * as there are processors to do it, in threads of their own; the rest waits in one line for each app, and the apps take
 * turns. When the lines are full, the longest gives way: a flood of one app is the trouble of that app.
 */
@Injectable()
export class PasswordHasher {
  /** In the order of their turns; no line is empty. */
  readonly #lines = new Map<string, Waiter[]>();
  #running = 0;
  #waiting = 0;

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
   * @throws AppError overloaded
   */
  hash(password: string, appId: string): Promise<string> {
    const { memoryKib, iterations, parallelism } = this.env.passwordCost;
    const cost = { memoryCost: memoryKib, timeCost: iterations, parallelism };
    return this.#inTurn(appId, () => hash(password, cost));
  }

  /**
   * Whether the PHC string is this password's, at the cost that the string names.
   * @throws AppError overloaded
   */
  verify(passwordHash: string, password: string, appId: string): Promise<boolean> {
    return this.#inTurn(appId, () => verify(passwordHash, password));
  }

  async #inTurn<Result>(appId: string, work: () => Promise<Result>): Promise<Result> {
    if (this.#running < this.env.passwordConcurrency) this.#running++;
    else await this.#standInLine(appId);
    try {
      return await work();
    } finally {
      this.#admitNext();
    }
  }

  #standInLine(appId: string): Promise<void> {
    if (this.#waiting === waitingMost) this.#makeRoom(appId);
    return new Promise((admit, refuse) => {
      const line = this.#lines.get(appId);
      if (line === undefined) this.#lines.set(appId, [{ admit, refuse }]);
      else line.push({ admit, refuse });
      this.#waiting++;
    });
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
