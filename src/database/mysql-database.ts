import type { Pool, PoolConnection, ResultSetHeader, RowDataPacket } from 'mysql2/promise';
import { AppError } from '../errors/app-error.js';
import {
  attemptsMost,
  backOff,
  Database,
  type SqlRow,
  type SqlValue,
  type Transaction,
  UniqueViolation,
} from './database.js';
import { placeholders, sqlDialects, valueRows } from './sql-dialect.js';
import { TransactionLost } from './unit-of-work.js';

export interface MysqlLimits {
  readonly connections: number;
  readonly statementTimeoutMs: number;
  /** How long a caller waits for a connection of the pool. */
  readonly acquireTimeoutMs: number;
}

const waitersMost = 1000;
const retryAfterMs = 1000;

/**
 * Errors after which the whole transaction may simply be run again: deadlock, lock wait, lost certification (Galera,
 * Group Replication), snapshot conflict (MariaDB), a node that is not ready, write conflicts and busy regions (TiDB).
 */
const retryable = new Set([1213, 1205, 1020, 1047, 1180, 3101, 3572, 8002, 8022, 8028, 9007]);
/** Those of them that say that somebody else was quicker. */
const conflicts = new Set([1213, 1020, 3101, 9007]);
/** The server is read only: behind one address another one has taken over, which only a new connection finds. */
const demoted = new Set([1290, 1836]);
const duplicateKey = 1062;
/** Statements that fail for what they say, not for the state of the server: our own faults, which must be seen. */
const statementFaults = new Set([1054, 1064, 1146, 1265, 1364, 1366, 1406, 1048, 1264]);

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
    return this.retrying(() => this.withConnection((session) => session.read<Row>(sql, values)));
  }

  protected transact<Result>(work: (transaction: Transaction) => Promise<Result>): Promise<Result> {
    return this.retrying(() => this.withConnection((session) => runTransaction(session, work)));
  }

  protected async transactOnce<Result>(work: (transaction: Transaction) => Promise<Result>): Promise<Result> {
    try {
      return await this.withConnection((session) => {
        session.insertsAroundExisting = true;
        return runTransaction(session, work);
      });
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

  /** Lends a connection. One that timed out or broke is destroyed: an answer may still be under way on it. */
  private async withConnection<Result>(use: (session: Session) => Promise<Result>): Promise<Result> {
    await this.acquire();
    let connection: PoolConnection | null = null;
    try {
      connection = await this.connect();
      const result = await use(new Session(connection, this.limits.statementTimeoutMs));
      connection.release();
      return result;
    } catch (error) {
      if (connection !== null) {
        if (isHealthyAfter(error)) connection.release();
        else connection.destroy();
      }
      throw isRetryable(error) ? error : translate(error);
    } finally {
      this.release();
    }
  }

  private async connect(): Promise<PoolConnection> {
    return await this.pool.getConnection();
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

async function runTransaction<Result>(
  session: Session,
  work: (transaction: Transaction) => Promise<Result>,
): Promise<Result> {
  await session.run('START TRANSACTION');
  let result: Result;
  try {
    result = await work(session);
  } catch (error) {
    if (isHealthyAfter(error)) await session.run('ROLLBACK');
    if (!(error instanceof KeyTaken)) throw error;
    session.insertsAroundExisting = true;
    return runTransaction(session, work);
  }
  try {
    await session.run('COMMIT');
  } catch (error) {
    // A COMMIT that was refused may be run again; one whose answer was lost may have happened, so it may not.
    if (isRetryable(error)) await session.run('ROLLBACK');
    throw error;
  }
  return result;
}

/** An INSERT of `insertNew` met a key that exists. The transaction begins anew, and inserts around what exists. */
class KeyTaken extends Error {}

class Session implements Transaction {
  /**
   * Most inserts meet no key that exists, so the first try is a plain INSERT. One that fails keeps shared locks on what it
   * met; to go on in the same transaction would turn them into exclusive ones, and two that do so deadlock.
   */
  insertsAroundExisting = false;

  constructor(
    private readonly connection: PoolConnection,
    private readonly timeoutMs: number,
  ) {}

  async read<Row>(sql: string, values: readonly SqlValue[] = []): Promise<Row[]> {
    const [rows] = await this.connection.query<RowDataPacket[]>({ sql, timeout: this.timeoutMs }, [...values]);
    return rows as Row[];
  }

  async run(sql: string, values: readonly SqlValue[] = []): Promise<number> {
    const [result] = await this.connection.query<ResultSetHeader>({ sql, timeout: this.timeoutMs }, [...values]);
    return result.affectedRows;
  }

  async insert(table: string, columns: readonly string[], rows: readonly SqlRow[]): Promise<void> {
    if (rows.length === 0) return;
    await this.run(...insertOf(table, columns, rows));
  }

  async insertNew(
    table: string,
    columns: readonly string[],
    rows: readonly SqlRow[],
    identity: string,
  ): Promise<boolean[]> {
    if (rows.length === 0) return [];
    const [app, key] = columns as [string, string];
    // By key: two nodes that insert overlapping rows in different orders would deadlock.
    const ordered = [...rows].sort((one, other) => ((one[key] as string) < (other[key] as string) ? -1 : 1));
    const [insert, values] = insertOf(table, columns, ordered);
    if (!this.insertsAroundExisting) {
      await this.run(insert, values).catch((error: unknown) => {
        throw errnoOf(error) === duplicateKey ? new KeyTaken() : error;
      });
      return rows.map(() => true);
    }
    // Insert around what exists, then look whose rows are in. Not INSERT IGNORE: that would also bend values that do
    // not fit.
    await this.run(`${insert} ON DUPLICATE KEY UPDATE ${app} = ${table}.${app}`, values);
    const found = await this.read<Record<string, SqlValue>>(
      `SELECT ${identity} FROM ${table} WHERE ${app} = ? AND ${key} IN (${placeholders(rows.length)})`,
      [rows[0]?.[app] as SqlValue, ...rows.map((row) => row[key] as SqlValue)],
    );
    const present = new Set(found.map((row) => row[identity]));
    return rows.map((row) => present.has(row[identity] as SqlValue));
  }

  async updateRows(
    table: string,
    _keys: readonly string[],
    changed: readonly string[],
    rows: readonly SqlRow[],
  ): Promise<void> {
    if (rows.length === 0) return;
    // The rows exist and are locked, so every one of them takes the second branch: one statement updates them all.
    const [insert, values] = insertOf(table, Object.keys(rows[0] ?? {}), rows);
    const assignments = changed.map((column) => `${column} = VALUES(${column})`).join(', ');
    await this.run(`${insert} ON DUPLICATE KEY UPDATE ${assignments}`, values);
  }
}

/** One INSERT of all rows, and its values. */
function insertOf(table: string, columns: readonly string[], rows: readonly SqlRow[]): [string, SqlValue[]] {
  return [
    `INSERT INTO ${table} (${columns.join(', ')}) VALUES ${valueRows(rows.length, columns.length)}`,
    rows.flatMap((row) => columns.map((column) => row[column] as SqlValue)),
  ];
}

/** The number of an error that the server answered with; null for one of the network or of the driver itself. */
function errnoOf(error: unknown): number | null {
  const { errno, sqlState } = (error ?? {}) as { errno?: unknown; sqlState?: unknown };
  // The driver's promises put both members on every error.
  return typeof errno === 'number' && typeof sqlState === 'string' ? errno : null;
}

function isConflict(error: unknown): boolean {
  return conflicts.has(errnoOf(error) ?? 0);
}

function isRetryable(error: unknown): boolean {
  const errno = errnoOf(error);
  if (errno === 1105) return /try again/i.test((error as Error).message);
  return errno !== null && (retryable.has(errno) || demoted.has(errno));
}

/** The server answered, or it was not asked: the connection has nothing left under way, and leads where it should. */
function isHealthyAfter(error: unknown): boolean {
  if (demoted.has(errnoOf(error) ?? 0)) return false;
  if (isDriverError(error)) return errnoOf(error) !== null && (error as { fatal?: boolean }).fatal !== true;
  return true;
}

/** Of the server, the network or the driver. A statement that timed out has none of their marks but `syscall`. */
function isDriverError(error: unknown): boolean {
  if (typeof error !== 'object' || error === null || error instanceof AppError) return false;
  return 'errno' in error || 'sqlState' in error || 'fatal' in error || 'syscall' in error;
}

function translate(error: unknown): unknown {
  if (!isDriverError(error)) return error;
  const errno = errnoOf(error);
  if (errno === duplicateKey) return new UniqueViolation({ cause: error });
  if (errno !== null && statementFaults.has(errno)) return error;
  return new AppError('database_unavailable', { retryAfterMs, cause: error });
}
