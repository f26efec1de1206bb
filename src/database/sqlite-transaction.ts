import type { SqlValue } from './sql-dialect.js';
import { type SqlRow, type Transaction, TransactionEnded } from './transaction.js';

/** The statements of one write. All writes share a connection: once this one has ended, others are using it. */
export class SqliteTransaction implements Transaction {
  private ended = false;

  constructor(private readonly statements: Transaction) {}

  end(): void {
    this.ended = true;
  }

  read<Row>(sql: string, values?: readonly SqlValue[]): Promise<Row[]> {
    return this.unlessEnded(() => this.statements.read<Row>(sql, values));
  }

  run(sql: string, values?: readonly SqlValue[]): Promise<number> {
    return this.unlessEnded(() => this.statements.run(sql, values));
  }

  insert(table: string, columns: readonly string[], rows: readonly SqlRow[]): Promise<void> {
    return this.unlessEnded(() => this.statements.insert(table, columns, rows));
  }

  insertNew(table: string, columns: readonly string[], rows: readonly SqlRow[], identity: string): Promise<boolean[]> {
    return this.unlessEnded(() => this.statements.insertNew(table, columns, rows, identity));
  }

  updateRows(
    table: string,
    keys: readonly string[],
    changed: readonly string[],
    rows: readonly SqlRow[],
  ): Promise<void> {
    return this.unlessEnded(() => this.statements.updateRows(table, keys, changed, rows));
  }

  private unlessEnded<Result>(statement: () => Promise<Result>): Promise<Result> {
    return this.ended ? Promise.reject(new TransactionEnded()) : statement();
  }
}
