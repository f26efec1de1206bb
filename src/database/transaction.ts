import type { SqlValue } from './sql-dialect.js';

/** Statements of one transaction. They may await only each other, since the whole queue waits behind them. */
export interface Transaction {
  read<Row>(sql: string, values?: readonly SqlValue[]): Promise<Row[]>;
  /** Runs a statement that changes rows and returns how many it found (MySQL) or changed (SQLite). */
  run(sql: string, values?: readonly SqlValue[]): Promise<number>;
  /** Inserts all rows. @throws UniqueViolation, after which the transaction can only be rolled back */
  insert(table: string, columns: readonly string[], rows: readonly SqlRow[]): Promise<void>;
  /**
   * Inserts each row whose keys are free and returns, for each row, whether it was inserted. The first two columns of
   * `table` are the app and the row's key; `identity` names a column whose value no other writer would choose.
   */
  insertNew(table: string, columns: readonly string[], rows: readonly SqlRow[], identity: string): Promise<boolean[]>;
  /**
   * Writes the columns `changed` of complete rows that exist and that this transaction has locked; `keys` identify
   * them.
   */
  updateRows(
    table: string,
    keys: readonly string[],
    changed: readonly string[],
    rows: readonly SqlRow[],
  ): Promise<void>;
}

export type SqlRow = Readonly<Record<string, SqlValue>>;

/**
 * A statement came after its transaction had ended: the transaction was abandoned, or the code was not awaited. Nothing
 * was sent.
 */
export class TransactionEnded extends Error {
  constructor() {
    super('this transaction has ended');
    this.name = 'TransactionEnded';
  }
}

/** An INSERT or UPDATE hit a row with the same key. */
export class UniqueViolation extends Error {
  constructor(options: ErrorOptions) {
    super('a row with this key exists', options);
    this.name = 'UniqueViolation';
  }
}
