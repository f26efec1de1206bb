import type { DatabaseEngine } from '../config/env.js';
import type { SqlDialect, SqlValue } from './sql-dialect.js';

export type { SqlValue } from './sql-dialect.js';

/** Statements of one transaction. They may await nothing but each other: the whole queue waits behind them. */
export interface Transaction {
  read<Row>(sql: string, values?: readonly SqlValue[]): Promise<Row[]>;
  /** Runs a statement that changes rows and answers how many it found (MySQL) or changed (SQLite). */
  run(sql: string, values?: readonly SqlValue[]): Promise<number>;
  /** Inserts all of the rows. @throws UniqueViolation, after which the transaction can only end */
  insert(table: string, columns: readonly string[], rows: readonly SqlRow[]): Promise<void>;
  /**
   * Inserts each row whose keys are free and answers, for each row, whether it is in. The first two columns of `table`
   * are the app and the row's key; `identity` names a column whose value no other writer would choose.
   */
  insertNew(table: string, columns: readonly string[], rows: readonly SqlRow[], identity: string): Promise<boolean[]>;
  /** Writes the columns `changed` of whole rows that exist and that this transaction has locked; `keys` find them. */
  updateRows(
    table: string,
    keys: readonly string[],
    changed: readonly string[],
    rows: readonly SqlRow[],
  ): Promise<void>;
}

export type SqlRow = Readonly<Record<string, SqlValue>>;

/**
 * The wall between the product's SQL and its engines: one connection to read and one queue to write on the embedded
 * SQLite, a pool on MySQL-protocol servers. Every failure of the engine itself leaves as `database_unavailable`.
 */
export abstract class Database {
  abstract readonly engine: DatabaseEngine;
  abstract readonly dialect: SqlDialect;

  /** The rows of one SELECT, outside of any transaction. @throws AppError database_unavailable */
  abstract read<Row>(sql: string, values?: readonly SqlValue[]): Promise<Row[]>;

  /**
   * Runs `work` in a transaction of its own and resolves once that is durable; what `work` throws rolls it back. May
   * run `work` more than once (lost certification, deadlock), so `work` must keep no state outside of itself.
   * @throws AppError database_unavailable, UniqueViolation, and whatever `work` throws
   */
  abstract write<Result>(work: (transaction: Transaction) => Promise<Result>): Promise<Result>;

  /** Answers when a statement went through. @throws AppError database_unavailable */
  async ping(): Promise<void> {
    await this.read('SELECT 1');
  }

  /** How many writes wait for their turn. */
  abstract readonly writesWaiting: number;

  abstract close(): Promise<void>;
}

/** An INSERT or UPDATE met a row with the same key. */
export class UniqueViolation extends Error {
  constructor(options: ErrorOptions) {
    super('a row with this key exists', options);
    this.name = 'UniqueViolation';
  }
}
