import { setTimeout as sleep } from 'node:timers/promises';
import type { DatabaseEngine } from '../config/env.js';
import { AppError } from '../errors/app-error.js';
import type { SqlDialect, SqlValue } from './sql-dialect.js';
import type { Transaction } from './transaction.js';
import { currentUnit, TransactionLost, UnitOfWork } from './unit-of-work.js';

export type { SqlValue } from './sql-dialect.js';
export { UniqueViolation } from './transaction.js';
export type { SqlRow, Transaction } from './transaction.js';

/** For queries of the service itself, which take turns with the apps as if they were one. */
const ofNoApp = '';
const maxPauseMs = 100;
const retryAfterMs = 1000;

/**
 * How often a lost transaction is attempted. When nodes write the same row through different nodes of a Galera cluster,
 * the first commit wins: somebody makes progress, so a lost conflict deserves more attempts.
 */
export function maxAttempts(conflict: boolean): number {
  return conflict ? 20 : 5;
}

/** Waits for a random time before the next attempt, longer with each one. */
export async function backOff(attempt: number): Promise<void> {
  await sleep(Math.random() * Math.min(maxPauseMs, 10 * 2 ** attempt));
}

/**
 * The boundary between the product's SQL and its engines: a read connection and a write queue on embedded SQLite, a
 * pool on MySQL-protocol servers. Every failure of the engine itself becomes `database_unavailable`.
 */
export abstract class Database {
  abstract readonly engine: DatabaseEngine;
  abstract readonly dialect: SqlDialect;

  /**
   * The rows of one SELECT; inside a unit of work, as its own writes have left them.
   * @param appId the app whose rows they are, as apps share pooled connections fairly; omitted for the service's own
   *   queries
   * @throws AppError database_unavailable, overloaded
   */
  read<Row>(sql: string, values: readonly SqlValue[] = [], appId = ofNoApp): Promise<Row[]> {
    const unit = currentUnit();
    if (unit === undefined || !unit.isOpen) return this.readCommitted<Row>(sql, values, appId);
    return unit.join((transaction) => transaction.read<Row>(sql, values));
  }

  /**
   * Runs `work` in its own transaction and resolves once it is durable; if `work` throws, it is rolled back. May run
   * `work` more than once (lost certification, deadlock), so `work` must not keep state outside of itself. Inside a
   * unit of work, it joins that transaction.
   * @param appId as for `read`
   * @throws AppError database_unavailable, overloaded, UniqueViolation, and whatever `work` throws
   */
  write<Result>(work: (transaction: Transaction) => Promise<Result>, appId = ofNoApp): Promise<Result> {
    const unit = currentUnit();
    return unit === undefined ? this.transact(work, appId) : unit.join(work);
  }

  /**
   * Runs `handler` as one transaction: everything that it writes, and what `beforeCommit` writes about its result.
   * Resolves once that is durable. May run `handler` more than once, but not after it has held its transaction for too
   * long.
   * @param appId as for `read`
   * @throws AppError database_unavailable, overloaded (held for too long), UniqueViolation, and whatever `handler`
   *   throws: then nothing was written
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

  /** Runs `work` in a transaction, with retries where they help. */
  protected abstract transact<Result>(
    work: (transaction: Transaction) => Promise<Result>,
    appId: string,
  ): Promise<Result>;

  /** Runs `work` in a transaction that is rolled back if it is lost. @throws TransactionLost */
  protected abstract transactOnce<Result>(
    work: (transaction: Transaction) => Promise<Result>,
    appId: string,
  ): Promise<Result>;

  /** Translates a statement's error for callers outside of the database. */
  protected abstract explain(error: unknown): unknown;

  /** Resolves if a statement succeeds. @throws AppError database_unavailable */
  async ping(): Promise<void> {
    await this.read('SELECT 1');
  }

  /** The number of writes waiting for their turn. */
  abstract readonly writesWaiting: number;

  /** Finishes what is queued. TypeORM closes its own connections afterwards. */
  abstract close(): Promise<void>;
}
