import type { Pool, RowDataPacket } from 'mysql2/promise';
import { AppError } from '../errors/app-error.js';
import { maxAttempts, backOff, Database, type SqlValue, type Transaction } from './database.js';
import { isConflict, isHealthyAfter, isRetryable, translate } from './mysql-errors.js';
import { BorrowedConnection, runTransaction } from './mysql-transaction.js';
import { Places } from './places.js';
import { sqlDialects } from './sql-dialect.js';
import { TransactionLost } from './unit-of-work.js';

export interface MysqlLimits {
  readonly connections: number;
  readonly statementTimeoutMs: number;
  /** How long a caller waits for a pooled connection. */
  readonly acquireTimeoutMs: number;
}

/** As many as a node handles requests at once, so that one app never keeps the others out of the queue. */
const maxWaitingOfApp = 1_000;
const maxWaiting = 4_000;
const retryAfterMs = 1000;

/** A MySQL-protocol server: MySQL, MariaDB, Galera, TiDB, Vitess. */
export class MysqlDatabase extends Database {
  readonly engine = 'mysql';
  readonly dialect = sqlDialects.mysql;

  /** mysql2 neither limits how long a caller waits for a connection nor shares connections fairly; this does both. */
  private readonly places: Places;

  constructor(
    private readonly pool: Pool,
    private readonly limits: MysqlLimits,
  ) {
    super();
    const overloaded = (): AppError => new AppError('overloaded', { retryAfterMs });
    this.places = new Places(
      {
        places: limits.connections,
        placesOfApp: limits.connections,
        waiting: maxWaiting,
        waitingOfApp: maxWaitingOfApp,
        waitMs: limits.acquireTimeoutMs,
      },
      {
        lineFull: overloaded,
        lineOfAppFull: overloaded,
        waitedTooLong: () => new AppError('database_unavailable', { retryAfterMs }),
      },
    );
  }

  get writesWaiting(): number {
    return this.places.waiting;
  }

  protected readCommitted<Row>(sql: string, values: readonly SqlValue[], appId: string): Promise<Row[]> {
    return this.retrying(() =>
      this.withConnection(appId, async (connection) => (await connection.query<RowDataPacket[]>(sql, values)) as Row[]),
    );
  }

  protected transact<Result>(work: (transaction: Transaction) => Promise<Result>, appId: string): Promise<Result> {
    return this.retrying(() => this.withConnection(appId, (connection) => runTransaction(connection, work)));
  }

  protected async transactOnce<Result>(
    work: (transaction: Transaction) => Promise<Result>,
    appId: string,
  ): Promise<Result> {
    try {
      return await this.withConnection(appId, (connection) => runTransaction(connection, work, true));
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
        if (!isRetryable(error) || attempt >= maxAttempts(isConflict(error))) throw translate(error);
        await backOff(attempt);
      }
    }
  }

  /** Only callers are queued, and they are gone. */
  close(): Promise<void> {
    return Promise.resolve();
  }

  /** Lends out a connection that nobody can use afterwards. */
  private async withConnection<Result>(
    appId: string,
    use: (connection: BorrowedConnection) => Promise<Result>,
  ): Promise<Result> {
    await this.places.take(appId);
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
      this.places.leave(appId);
    }
  }
}
