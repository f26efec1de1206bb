import type { Pool, RowDataPacket } from 'mysql2/promise';
import { AppError } from '../errors/app-error.js';
import { attemptsMost, backOff, Database, type SqlValue, type Transaction } from './database.js';
import { isConflict, isHealthyAfter, isRetryable, translate } from './mysql-errors.js';
import { BorrowedConnection, runTransaction } from './mysql-transaction.js';
import { sqlDialects } from './sql-dialect.js';
import { TransactionLost } from './unit-of-work.js';

export interface MysqlLimits {
  readonly connections: number;
  readonly statementTimeoutMs: number;
  /** How long a caller waits for a connection of the pool. */
  readonly acquireTimeoutMs: number;
}

const waitersMost = 1000;
const retryAfterMs = 1000;

/** A MySQL-protocol server: MySQL, MariaDB, Galera, TiDB, Vitess. */
export class MysqlDatabase extends Database {
  readonly engine = 'mysql';
  readonly dialect = sqlDialects.mysql;

  private waiters: ((granted: boolean) => void)[] = [];
  private free: number;

  constructor(
    private readonly pool: Pool,
    private readonly limits: MysqlLimits,
  ) {
    super();
    this.free = limits.connections;
  }

  get writesWaiting(): number {
    return this.waiters.length;
  }

  protected readCommitted<Row>(sql: string, values: readonly SqlValue[]): Promise<Row[]> {
    return this.retrying(() =>
      this.withConnection(async (connection) => (await connection.query<RowDataPacket[]>(sql, values)) as Row[]),
    );
  }

  protected transact<Result>(work: (transaction: Transaction) => Promise<Result>): Promise<Result> {
    return this.retrying(() => this.withConnection((connection) => runTransaction(connection, work)));
  }

  protected async transactOnce<Result>(work: (transaction: Transaction) => Promise<Result>): Promise<Result> {
    try {
      return await this.withConnection((connection) => runTransaction(connection, work, true));
    } catch (error) {
      throw this.explain(error);
    }
  }

  protected explain(error: unknown): unknown {
    return isRetryable(error) ? new TransactionLost(isConflict(error), { cause: error }) : translate(error);
  }

  private async retrying<Result>(run: () => Promise<Result>): Promise<Result> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await run();
      } catch (error) {
        if (!isRetryable(error) || attempt >= attemptsMost(isConflict(error))) throw translate(error);
        await backOff(attempt);
      }
    }
  }

  /** Nothing is queued but callers, who have gone. */
  close(): Promise<void> {
    return Promise.resolve();
  }

  /** Lends a connection, which nobody can use afterwards. */
  private async withConnection<Result>(use: (connection: BorrowedConnection) => Promise<Result>): Promise<Result> {
    await this.acquire();
    let connection: BorrowedConnection | null = null;
    let healthy = false;
    try {
      connection = new BorrowedConnection(await this.pool.getConnection(), this.limits.statementTimeoutMs);
      const result = await use(connection);
      healthy = true;
      return result;
    } catch (error) {
      healthy = isHealthyAfter(error);
      throw isRetryable(error) ? error : translate(error);
    } finally {
      connection?.giveBack(healthy);
      this.release();
    }
  }

  /** mysql2 has no limit on how long a caller waits for a connection; this has. */
  private async acquire(): Promise<void> {
    if (this.free > 0) {
      this.free -= 1;
      return;
    }
    if (this.waiters.length >= waitersMost) throw new AppError('overloaded', { retryAfterMs });
    const granted = await new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => {
        this.waiters = this.waiters.filter((waiter) => waiter !== grant);
        resolve(false);
      }, this.limits.acquireTimeoutMs);
      const grant = (): void => {
        clearTimeout(timer);
        resolve(true);
      };
      this.waiters.push(grant);
    });
    if (!granted) throw new AppError('database_unavailable', { retryAfterMs });
  }

  private release(): void {
    const next = this.waiters.shift();
    if (next === undefined) this.free += 1;
    else next(true);
  }
}
