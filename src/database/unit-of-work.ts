import { AsyncLocalStorage } from 'node:async_hooks';
import { AppError } from '../errors/app-error.js';
import { runReaction } from '../logging/reaction.js';
import type { Transaction } from './transaction.js';

/** A unit keeps others from writing while it is open, so it may wait only for statements and the answer. */
const maxOpenMs = 5_000;
const retryAfterMs = 1000;

const storage = new AsyncLocalStorage<UnitOfWork | undefined>();

/** The unit that the running code belongs to, if any. Code that outlives a committed unit belongs to none. */
export function currentUnit(): UnitOfWork | undefined {
  const unit = storage.getStore();
  return unit?.isCommitted === true ? undefined : unit;
}

/** Runs work on behalf of several callers, outside of the unit that the current caller may be in. */
export function outsideUnits<Result>(work: () => Result): Result {
  return storage.run(undefined, work);
}

/** Notifies others of a change: at once, or inside a unit of work after its commit. It cannot fail. */
export function afterCommit(reaction: () => unknown): void {
  const unit = currentUnit();
  if (unit === undefined) runReaction(reaction);
  else unit.react(reaction);
}

/** The transaction was rolled back through no fault of the work, and may be retried as a whole. */
export class TransactionLost extends Error {
  /** @param conflict another transaction has won */
  constructor(
    readonly conflict: boolean,
    options: ErrorOptions,
  ) {
    super('the transaction was lost', options);
    this.name = 'TransactionLost';
  }
}

/**
 * For code that has written, lost a race, and would now do something slow, like hashing a password. In an open unit of
 * work, it starts over without a transaction, and sees the winner from the beginning. Elsewhere this does nothing.
 * @throws TransactionLost
 */
export function beginAnewOutsideTransaction(): void {
  if (currentUnit()?.isOpen === true)
    throw new TransactionLost(true, {
      cause: new Error('another transaction was faster, and the rest takes too long to hold this one'),
    });
}

/**
 * Everything that some code writes, as one transaction. It starts with the first write, so that earlier work (hashing a
 * password) blocks nobody; from then on, the code also reads its own writes.
 *
 * Once it has failed, it refuses any further write, since its caller is told that nothing has changed.
 */
export class UnitOfWork {
  private state: 'working' | 'ending' | 'committed' | 'failed' = 'working';
  /** Why the transaction cannot be committed any more. */
  private failure: Error | null = null;
  private opening: Promise<Transaction> | null = null;
  private begun = false;
  private deadline: NodeJS.Timeout | undefined;
  /** The engine's transaction has ended, one way or the other. */
  private ended: Promise<void> = Promise.resolve();
  /** What the engine waits for: commits when it resolves, rolls back when it rejects. */
  private readonly decision = Promise.withResolvers<void>();
  private readonly expiry = Promise.withResolvers<never>();
  private readonly joined = new Set<Promise<unknown>>();
  private reactions: (() => unknown)[] = [];

  /**
   * @param begin runs a transaction once; rejects with TransactionLost if it may be retried
   * @param explain translates the engine's errors for callers outside of the database
   */
  constructor(
    private readonly begin: (work: (transaction: Transaction) => Promise<void>) => Promise<void>,
    private readonly explain: (error: unknown) => unknown,
  ) {
    this.decision.promise.catch(() => undefined);
  }

  get isCommitted(): boolean {
    return this.state === 'committed';
  }

  /** Whether its transaction has started and its code is still running. */
  get isOpen(): boolean {
    return this.begun && this.state === 'working';
  }

  /**
   * Runs `handler`, then `beforeCommit` with its result, and resolves once everything they wrote is committed.
   * @throws AppError overloaded if the transaction was open for too long, and whatever they throw: nothing was written
   */
  async run<Result>(
    handler: () => Promise<Result>,
    beforeCommit: (transaction: Transaction, result: Result) => Promise<void>,
  ): Promise<Result> {
    let result: Result;
    try {
      result = await Promise.race([storage.run(this, () => this.work(handler, beforeCommit)), this.expiry.promise]);
      clearTimeout(this.deadline);
      this.decision.resolve();
      await this.ended;
    } catch (error) {
      clearTimeout(this.deadline);
      this.fail(error);
      this.state = 'failed';
      this.decision.reject(this.failure);
      await this.ended.catch(() => undefined);
      throw error;
    }
    this.state = 'committed';
    outsideUnits(() => this.reactions.forEach(runReaction));
    this.reactions = [];
    return result;
  }

  /**
   * Runs `work` in the unit's transaction. A failed one may have written half of its rows, so no other can follow it.
   */
  join<Result>(work: (transaction: Transaction) => Promise<Result>): Promise<Result> {
    const joined = this.joinNow(work).finally(() => this.joined.delete(joined));
    this.joined.add(joined);
    return joined;
  }

  react(reaction: () => unknown): void {
    this.reactions.push(reaction);
  }

  private async work<Result>(
    handler: () => Promise<Result>,
    beforeCommit: (transaction: Transaction, result: Result) => Promise<void>,
  ): Promise<Result> {
    const result = await handler();
    // Including what was started but not awaited: half of it must not be committed.
    while (this.joined.size > 0) await Promise.allSettled(this.joined);
    if (this.state === 'working') this.state = 'ending';
    await this.perform((transaction) => beforeCommit(transaction, result));
    return result;
  }

  private async joinNow<Result>(work: (transaction: Transaction) => Promise<Result>): Promise<Result> {
    if (this.state === 'ending') throw new Error('this unit of work has ended');
    return this.perform(work);
  }

  private async perform<Result>(work: (transaction: Transaction) => Promise<Result>): Promise<Result> {
    if (this.failure !== null)
      throw this.state === 'failed' ? this.failure : new TransactionLost(false, { cause: this.failure });
    const transaction = await (this.opening ??= this.open());
    try {
      return await work(transaction);
    } catch (error) {
      this.fail(error);
      throw this.explain(error);
    }
  }

  private open(): Promise<Transaction> {
    return new Promise((resolve, reject) => {
      this.ended = outsideUnits(() =>
        this.begin((transaction) => {
          // A unit that failed while it waited for its turn has no code left that would end it.
          if (this.state !== 'failed') {
            this.begun = true;
            this.deadline = setTimeout(() => this.expire(), maxOpenMs);
            resolve(transaction);
          }
          return this.decision.promise;
        }),
      );
      this.ended.catch(reject);
    });
  }

  private expire(): void {
    const expired = new AppError('overloaded', {
      retryAfterMs,
      cause: new Error(`a unit of work was open for over ${maxOpenMs} ms`),
    });
    this.fail(expired);
    this.state = 'failed';
    this.expiry.reject(expired);
  }

  private fail(error: unknown): void {
    this.failure ??= error instanceof Error ? error : new Error(String(error));
  }
}
