import { AsyncLocalStorage } from 'node:async_hooks';
import { AppError } from '../errors/app-error.js';
import { runReaction } from '../logging/reaction.js';
import type { Transaction } from './transaction.js';

/** A unit keeps others from writing while it is open, and works on nothing but statements and the answer meanwhile. */
const maxOpenMs = 5_000;
const retryAfterMs = 1000;

const storage = new AsyncLocalStorage<UnitOfWork | undefined>();

/** The unit that the running code belongs to, if any. Code that outlives a committed unit belongs to none. */
export function currentUnit(): UnitOfWork | undefined {
  const unit = storage.getStore();
  return unit?.isCommitted === true ? undefined : unit;
}

/** Runs what serves more callers than this one: it is no part of the unit that the caller may be in. */
export function outsideUnits<Result>(work: () => Result): Result {
  return storage.run(undefined, work);
}

/** Does at once, or inside a unit of work once that is committed, what others are told of a change. It cannot fail. */
export function afterCommit(reaction: () => unknown): void {
  const unit = currentUnit();
  if (unit === undefined) runReaction(reaction);
  else unit.react(reaction);
}

/** The transaction was rolled back through no fault of the work: the whole of it may be run again. */
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
 * For code that has written, lost a race, and now would do what takes long, like hashing a password. In an open unit of
 * work it begins anew with no transaction, and meets the winner from the start. Elsewhere this does nothing.
 * @throws TransactionLost
 */
export function beginAnewOutsideTransaction(): void {
  if (currentUnit()?.isOpen === true)
    throw new TransactionLost(true, { cause: new Error('somebody else was quicker; what comes now takes too long') });
}

/**
 * Everything that some code writes, as one transaction. It begins with the first write, so that what comes before (the
 * hashing of a password) holds nobody up, and from there on the code also reads what it has written.
 *
 * Once it has failed, it refuses whatever its code still wants to write: its caller is told that nothing has changed.
 */
export class UnitOfWork {
  private state: 'working' | 'ending' | 'committed' | 'failed' = 'working';
  /** Why the transaction cannot be committed any more. */
  private failure: Error | null = null;
  private opening: Promise<Transaction> | null = null;
  private begun = false;
  private deadline: NodeJS.Timeout | undefined;
  /** The transaction of the engine has ended, one way or the other. */
  private ended: Promise<void> = Promise.resolve();
  /** What the engine waits for: commits when this resolves, rolls back when it rejects. */
  private readonly decision = Promise.withResolvers<void>();
  private readonly expiry = Promise.withResolvers<never>();
  private readonly joined = new Set<Promise<unknown>>();
  private reactions: (() => unknown)[] = [];

  /**
   * @param begin runs a transaction, once; rejects with TransactionLost where it may be run again
   * @param explain what an error of the engine is called outside of the database
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

  /** Whether its transaction has begun, and its code is still at work. */
  get isOpen(): boolean {
    return this.begun && this.state === 'working';
  }

  /**
   * Runs `handler`, then `beforeCommit` with its result, and resolves once all that both wrote is committed.
   * @throws AppError overloaded when the transaction was open for too long, and whatever they throw: nothing was written
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

  /** Runs `work` in the transaction of the unit. One that failed may have written half, so no other can follow it. */
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
    // Also what was begun and not awaited: half of it must not be committed.
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
          // A unit that failed while it waited for its turn has nobody left who would end it.
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
