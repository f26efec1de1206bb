import type { PoolConnection, ResultSetHeader, RowDataPacket } from 'mysql2/promise';
import { isDuplicateKey, isHealthyAfter, isRetryable, StatementTimeout } from './mysql-errors.js';
import { placeholders, type SqlValue, valueRows } from './sql-dialect.js';
import { type SqlRow, type Transaction, TransactionEnded } from './transaction.js';

/** A connection of the pool while somebody has it. */
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
   * Our own time-out: that of the driver begins when the statement is sent, so one that stands behind a statement
   * without an answer would wait for ever.
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

  /** Gives it back to the pool, unless it is broken or the server may still be at work for its last borrower. */
  giveBack(healthy: boolean): void {
    if (healthy && this.isIdle) this.connection.release();
    else this.connection.destroy();
  }
}

/** Runs `work` in a transaction of this connection. */
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
    // With a statement under way the connection is given up instead, and that rolls back as well.
    if (isHealthyAfter(error) && (connection.isIdle || again)) await connection.query('ROLLBACK');
    if (!again) throw error;
    return runTransaction(connection, work, true);
  }
  session.end();
  try {
    await connection.query('COMMIT');
  } catch (error) {
    // A COMMIT that was refused may be run again; one whose answer was lost may have happened, so it may not.
    if (isRetryable(error)) await connection.query('ROLLBACK');
    throw error;
  }
  return result;
}

/** An INSERT of `insertNew` met a key that exists. The transaction begins anew, and inserts around what exists. */
class KeyTaken extends Error {}

/** The statements of one transaction. Once that has ended, a statement would run in the next borrower's. */
class Session implements Transaction {
  private ended = false;

  /**
   * @param insertsAroundExisting Most inserts meet no key that exists, so the first try is a plain INSERT. One that
   *   fails keeps shared locks on what it met; to go on in the same transaction would turn them into exclusive ones, and
   *   two that do so deadlock.
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
    // By key: two nodes that insert overlapping rows in different orders would deadlock.
    const ordered = [...rows].sort((one, other) => ((one[key] as string) < (other[key] as string) ? -1 : 1));
    const [insert, values] = insertOf(table, columns, ordered);
    if (!this.insertsAroundExisting) {
      await this.run(insert, values).catch((error: unknown) => {
        throw isDuplicateKey(error) ? new KeyTaken() : error;
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
