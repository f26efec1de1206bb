import type { PoolConnection, ResultSetHeader, RowDataPacket } from 'mysql2/promise';
import { isDuplicateKey, isHealthyAfter, isRetryable, StatementTimeout } from './mysql-errors.js';
import { placeholders, type SqlValue, valueRows } from './sql-dialect.js';
import { type SqlRow, type Transaction, TransactionEnded } from './transaction.js';

/** A pooled connection while it is borrowed. */
export class BorrowedConnection {
  private underWay = 0;

  constructor(
    private readonly connection: PoolConnection,
    private readonly statementTimeoutMs: number,
  ) {}

  /** The server has answered every statement. */
  get isIdle(): boolean {
    return this.underWay === 0;
  }

  /**
   * Rollcall's own timeout: the driver's starts when the statement is sent, so a statement queued behind an unanswered
   * one would wait for ever.
   */
  async query<Answer extends RowDataPacket[] | ResultSetHeader>(
    sql: string,
    values: readonly SqlValue[] = [],
  ): Promise<Answer> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new StatementTimeout()), this.statementTimeoutMs);
    });
    this.underWay += 1;
    const answered = this.connection.query<Answer>(sql, [...values]).finally(() => (this.underWay -= 1));
    try {
      const [answer] = await Promise.race([answered, late]);
      return answer;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Returns it to the pool, unless it is broken or the server may still be working for its last borrower. */
  giveBack(healthy: boolean): void {
    if (healthy && this.isIdle) this.connection.release();
    else this.connection.destroy();
  }
}

/** Runs `work` in a transaction on this connection. */
export async function runTransaction<Result>(
  connection: BorrowedConnection,
  work: (transaction: Transaction) => Promise<Result>,
  insertsAroundExisting = false,
): Promise<Result> {
  await connection.query('START TRANSACTION');
  const session = new Session(connection, insertsAroundExisting);
  let result: Result;
  try {
    result = await work(session);
    if (!connection.isIdle) throw new Error('a transaction cannot be committed before its statements have ended');
  } catch (error) {
    session.end();
    const again = error instanceof KeyTaken;
    // If a statement is pending, the connection is destroyed instead, which rolls back as well.
    if (isHealthyAfter(error) && (connection.isIdle || again)) await connection.query('ROLLBACK');
    if (!again) throw error;
    return runTransaction(connection, work, true);
  }
  session.end();
  try {
    await connection.query('COMMIT');
  } catch (error) {
    // A refused COMMIT may be retried; one whose answer was lost may have taken effect, so it may not.
    if (isRetryable(error)) await connection.query('ROLLBACK');
    throw error;
  }
  return result;
}

/** An INSERT of `insertNew` hit an existing key. The transaction starts over, and inserts around existing rows. */
class KeyTaken extends Error {}

/** The statements of one transaction. After its end, a statement would run in the next borrower's transaction. */
class Session implements Transaction {
  private ended = false;

  /**
   * @param insertsAroundExisting Most inserts hit no existing key, so the first attempt is a plain INSERT. If that
   *   fails, it keeps shared locks on the existing rows; continuing in the same transaction would upgrade them to
   *   exclusive locks, and two transactions that do so deadlock.
   */
  constructor(
    private readonly connection: BorrowedConnection,
    private readonly insertsAroundExisting: boolean,
  ) {}

  end(): void {
    this.ended = true;
  }

  async read<Row>(sql: string, values: readonly SqlValue[] = []): Promise<Row[]> {
    if (this.ended) throw new TransactionEnded();
    return (await this.connection.query<RowDataPacket[]>(sql, values)) as Row[];
  }

  async run(sql: string, values: readonly SqlValue[] = []): Promise<number> {
    if (this.ended) throw new TransactionEnded();
    return (await this.connection.query<ResultSetHeader>(sql, values)).affectedRows;
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
    // Sorted by key: two nodes that insert overlapping rows in different orders would deadlock.
    const ordered = [...rows].sort((one, other) => ((one[key] as string) < (other[key] as string) ? -1 : 1));
    const [insert, values] = insertOf(table, columns, ordered);
    if (!this.insertsAroundExisting) {
      await this.run(insert, values).catch((error: unknown) => {
        throw isDuplicateKey(error) ? new KeyTaken() : error;
      });
      return rows.map(() => true);
    }
    // Insert around existing rows, then look which rows are in. Not INSERT IGNORE, which would also truncate values
    // that do not fit.
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
    // The rows exist and are locked, so each of them takes the second branch: one statement updates them all.
    const [insert, values] = insertOf(table, Object.keys(rows[0] ?? {}), rows);
    const assignments = changed.map((column) => `${column} = VALUES(${column})`).join(', ');
    await this.run(`${insert} ON DUPLICATE KEY UPDATE ${assignments}`, values);
  }
}

/** One INSERT for all rows, and its values. */
function insertOf(table: string, columns: readonly string[], rows: readonly SqlRow[]): [string, SqlValue[]] {
  return [
    `INSERT INTO ${table} (${columns.join(', ')}) VALUES ${valueRows(rows.length, columns.length)}`,
    rows.flatMap((row) => columns.map((column) => row[column] as SqlValue)),
  ];
}
