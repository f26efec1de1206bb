import { AsyncLocalStorage } from 'node:async_hooks';
import { AppError } from '../errors/app-error.js';
import type { Transaction } from './transaction.js';

/** A unit keeps others from writing while it is open, and works on nothing but statements and the answer meanwhile. */
const openMostMs = 5_000;
const retryAfterMs = 1000;

const storage = new AsyncLocalStorage<UnitOfWork>();
let unitsRunning = 0;

/** The unit that the running code belongs to, if any. */
export function currentUnit(): UnitOfWork | undefined {
  return storage.getStore();
}

/** Does at once, or inside a unit of work once that is committed, what others are told of a change. */
export function afterCommit(reaction: () => void): void {
  const unit = currentUnit();
  if (unit === undefined) reaction();
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
 * Everything that some code writes, as one transaction. It begins with the first write, so that what comes before (the
 * hashing of a password) holds nobody up, and from there on the code also reads what it has written.
 */
export class UnitOfWork {
  private opening: Promise<Transaction> | null = null;
  private settled: Promise<void> = Promise.resolve();
  private finish: { commit: () => void; rollBack: (reason: Error) => void } | null = null;
  private reason: Error | null = null;
  private ended = false;
  private open = false;
  private readonly reactions: (() => void)[] = [];

  /**
   * @param begin runs a transaction, once; rejects with TransactionLost where it may be run again
   * @param explain what an error of the engine is called outside of the database
   */
  constructor(
    private readonly begin: (work: (transaction: Transaction) => Promise<void>) => Promise<void>,
    private readonly explain: (error: unknown) => unknown,
  ) {}

  /** Whether its transaction has begun. */
  get isOpen(): boolean {
    return this.open;
  }

  /** Runs `use`, then `last` with its result, and resolves once all that both wrote is committed. */
  run<Result>(
    use: () => Promise<Result>,
    last: (transaction: Transaction, result: Result) => Promise<void>,
  ): Promise<Result> {
    unitsRunning += 1;
    const done = storage.run(this, async () => {
      let result: Result;
      try {
        result = await use();
        await this.join((transaction) => last(transaction, result));
      } catch (error) {
        this.ended = true;
        this.finish?.rollBack(this.reason ?? asError(error));
        await this.settled.catch(() => undefined);
        throw error;
      }
      this.ended = true;
      this.finish?.commit();
      await this.settled;
      storage.exit(() => this.reactions.forEach((reaction) => reaction()));
      return result;
    });
    return done.finally(() => {
      unitsRunning -= 1;
      // Until then, Node 20 runs a hook for each promise that anyone makes, which doubles what promises cost.
      if (unitsRunning === 0) storage.disable();
    });
  }

  /** Runs `work` in the transaction of the unit. One that failed may have written half, so no other can follow it. */
  async join<Result>(work: (transaction: Transaction) => Promise<Result>): Promise<Result> {
    if (this.ended) throw new Error('this unit of work has ended');
    if (this.reason !== null) throw new TransactionLost(false, { cause: this.reason });
    const transaction = await (this.opening ??= this.beginOnce());
    try {
      return await work(transaction);
    } catch (error) {
      this.reason ??= asError(error);
      throw this.explain(error);
    }
  }

  react(reaction: () => void): void {
    this.reactions.push(reaction);
  }

  private beginOnce(): Promise<Transaction> {
    return new Promise((resolve, reject) => {
      this.settled = this.begin((transaction) => {
        this.open = true;
        resolve(transaction);
        return this.untilFinished();
      });
      this.settled.catch(reject);
    });
  }

  private untilFinished(): Promise<void> {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => {
        this.reason ??= new AppError('overloaded', { retryAfterMs });
        reject(this.reason);
      }, openMostMs);
      this.finish = {
        commit: () => {
          clearTimeout(late);
          resolve();
        },
        rollBack: (reason) => {
          clearTimeout(late);
          reject(reason);
        },
      };
    });
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
