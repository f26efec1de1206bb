import { setTimeout as sleep } from 'node:timers/promises';
import type { DatabaseEngine } from '../config/env.js';
import { AppError } from '../errors/app-error.js';
import type { SqlDialect, SqlValue } from './sql-dialect.js';
import type { Transaction } from './transaction.js';
import { currentUnit, TransactionLost, UnitOfWork } from './unit-of-work.js';

export type { SqlValue } from './sql-dialect.js';
export { UniqueViolation } from './transaction.js';
export type { SqlRow, Transaction } from './transaction.js';

/** What the service asks for itself: it takes turns with the apps as one of them would. */
const ofNoApp = '';
const maxPauseMs = 100;
const retryAfterMs = 1000;

/**
 * How often a transaction that was lost runs at most. Of nodes that write one row on several nodes of a Galera cluster,
 * the one that commits first wins: somebody goes on, so a lost conflict is worth more attempts.
 */
export function maxAttempts(conflict: boolean): number {
  return conflict ? 20 : 5;
}

/** Waits a random while before the next attempt, longer each time. */
export async function backOff(attempt: number): Promise<void> {
  await sleep(Math.random() * Math.min(maxPauseMs, 10 * 2 ** attempt));
}

/**
 * The wall between the product's SQL and its engines: one connection to read and one queue to write on the embedded
 * SQLite, a pool on MySQL-protocol servers. Every failure of the engine itself leaves as `database_unavailable`.
 */
export abstract class Database {
  abstract readonly engine: DatabaseEngine;
  abstract readonly dialect: SqlDialect;

  /**
   * The rows of one SELECT, inside a unit of work as that has left them.
   * @param appId whose rows they are: apps share the connections of a pool fairly; none: the service's own
   * @throws AppError database_unavailable, overloaded
   */
  read<Row>(sql: string, values: readonly SqlValue[] = [], appId = ofNoApp): Promise<Row[]> {
    const unit = currentUnit();
    if (unit === undefined || !unit.isOpen) return this.readCommitted<Row>(sql, values, appId);
    return unit.join((transaction) => transaction.read<Row>(sql, values));
  }

  /**
   * Runs `work` in a transaction of its own and resolves once that is durable; what `work` throws rolls it back. May
   * run `work` more than once (lost certification, deadlock), so `work` must keep no state outside of itself. Inside a
   * unit of work it is part of that one's transaction.
   * @param appId as for `read`
   * @throws AppError database_unavailable, overloaded, UniqueViolation, and whatever `work` throws
   */
  write<Result>(work: (transaction: Transaction) => Promise<Result>, appId = ofNoApp): Promise<Result> {
    const unit = currentUnit();
    return unit === undefined ? this.transact(work, appId) : unit.join(work);
  }

  /**
   * Runs `handler` as one transaction: everything that it writes, and what `beforeCommit` writes of its result. Resolves
   * once that is durable. May run `handler` more than once, but never after it has held its transaction for too long.
   * @param appId as for `read`
   * @throws AppError database_unavailable, overloaded (held for too long), UniqueViolation, and whatever `handler` throws:
   *   then nothing was written
   */
  async runInUnitOfWork<Result>(
    handler: () => Promise<Result>,
    beforeCommit: (transaction: Transaction, result: Result) => Promise<void>,
    appId = ofNoApp,
  ): Promise<Result> {
    for (let attempt = 1; ; attempt += 1) {
      const unit = new UnitOfWork(
        (work) => this.transactOnce(work, appId),
        (error) => this.explain(error),
      );
      try {
        return await unit.run(handler, beforeCommit);
      } catch (error) {
        if (!(error instanceof TransactionLost)) throw error;
        if (attempt >= maxAttempts(error.conflict))
          throw new AppError('database_unavailable', { retryAfterMs, cause: error });
        await backOff(attempt);
      }
    }
  }

  protected abstract readCommitted<Row>(sql: string, values: readonly SqlValue[], appId: string): Promise<Row[]>;

  /** Runs `work` in a transaction, again where that helps. */
  protected abstract transact<Result>(
    work: (transaction: Transaction) => Promise<Result>,
    appId: string,
  ): Promise<Result>;

  /** Runs `work` in a transaction that ends by itself when it is lost. @throws TransactionLost */
  protected abstract transactOnce<Result>(
    work: (transaction: Transaction) => Promise<Result>,
    appId: string,
  ): Promise<Result>;

  /** What an error that a statement threw is called outside of the database. */
  protected abstract explain(error: unknown): unknown;

  /** Answers when a statement went through. @throws AppError database_unavailable */
  async ping(): Promise<void> {
    await this.read('SELECT 1');
  }

  /** How many writes wait for their turn. */
  abstract readonly writesWaiting: number;

  /** Finishes what is queued. The connections that TypeORM has opened are closed by it, afterwards. */
  abstract close(): Promise<void>;
}
