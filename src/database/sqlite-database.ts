import type BetterSqlite3 from 'better-sqlite3';
import { AppError } from '../errors/app-error.js';
import { Database, type SqlRow, type SqlValue, type Transaction, UniqueViolation } from './database.js';
import { placeholders, sqlDialects } from './sql-dialect.js';

type Connection = BetterSqlite3.Database;

interface QueuedWrite {
  readonly work: (transaction: Transaction) => Promise<unknown>;
  readonly resolve: (result: never) => void;
  readonly reject: (error: unknown) => void;
}

/** How many writes share a commit at most: bounds how long the event loop is away. */
const groupMost = 256;
const retryAfterMs = 1000;

/**
 * SQLite has one writer. All writes go through one queue, which commits whatever has gathered as one transaction, each
 * write in a savepoint of its own: one fsync for many callers, and nobody's failure undoes another's write.
 */
export class SqliteDatabase extends Database {
  readonly engine = 'sqlite';
  readonly dialect = sqlDialects.sqlite;

  private readonly writer: Statements;
  private readonly reader: Statements | null;
  private queue: QueuedWrite[] = [];
  private draining: Promise<void> | null = null;

  /** @param reader a second connection on the same file, or null for a database in memory: then reads queue too. */
  constructor(writer: Connection, reader: Connection | null) {
    super();
    this.writer = new Statements(writer);
    this.reader = reader === null ? null : new Statements(reader);
  }

  get writesWaiting(): number {
    return this.queue.length;
  }

  protected async readCommitted<Row>(sql: string, values: readonly SqlValue[]): Promise<Row[]> {
    if (this.reader === null) return this.transact((transaction) => transaction.read<Row>(sql, values));
    return this.reader.read<Row>(sql, values);
  }

  protected transact<Result>(work: (transaction: Transaction) => Promise<Result>): Promise<Result> {
    return new Promise<Result>((resolve, reject) => {
      this.queue.push({ work, resolve, reject });
      this.draining ??= this.drain().finally(() => (this.draining = null));
    });
  }

  /** There is one writer, so no transaction is ever lost to another. */
  protected transactOnce<Result>(work: (transaction: Transaction) => Promise<Result>): Promise<Result> {
    return this.transact(work);
  }

  protected explain(error: unknown): unknown {
    return error;
  }

  async close(): Promise<void> {
    await this.draining;
    this.reader?.close();
  }

  private async drain(): Promise<void> {
    while (this.queue.length > 0) {
      // Statements block this thread, so requests gather in the sockets: read those before each commit.
      await new Promise(setImmediate);
      await this.commit(this.queue.splice(0, groupMost));
    }
  }

  private async commit(group: readonly QueuedWrite[]): Promise<void> {
    const settle: (() => void)[] = [];
    try {
      this.writer.execute('BEGIN IMMEDIATE');
      for (const write of group) settle.push(await this.attempt(write));
      this.writer.execute('COMMIT');
    } catch (error) {
      this.rollBack();
      for (const write of group) write.reject(error);
      return;
    }
    for (const answer of settle) answer();
  }

  /** Runs one write in its savepoint. What it answers is handed out only after the commit. */
  private async attempt(write: QueuedWrite): Promise<() => void> {
    this.writer.execute('SAVEPOINT one_write');
    try {
      const result = await write.work(this.writer);
      this.writer.execute('RELEASE one_write');
      return () => write.resolve(result as never);
    } catch (error) {
      // On a full or broken disk SQLite has ended the whole transaction, and with it the writes before this one.
      if (!this.writer.inTransaction) throw error;
      this.writer.execute('ROLLBACK TO one_write');
      this.writer.execute('RELEASE one_write');
      return () => write.reject(error);
    }
  }

  private rollBack(): void {
    if (this.writer.inTransaction) this.writer.execute('ROLLBACK');
  }
}

/** A connection and its prepared statements. */
class Statements implements Transaction {
  private readonly prepared = new Map<string, BetterSqlite3.Statement>();

  constructor(private readonly connection: Connection) {}

  get inTransaction(): boolean {
    return this.connection.inTransaction;
  }

  async read<Row>(sql: string, values: readonly SqlValue[] = []): Promise<Row[]> {
    return this.translate(() => this.prepare(sql).all(...values) as Row[]);
  }

  async run(sql: string, values: readonly SqlValue[] = []): Promise<number> {
    return this.translate(() => this.prepare(sql).run(...values).changes);
  }

  async insert(table: string, columns: readonly string[], rows: readonly SqlRow[]): Promise<void> {
    const sql = `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${placeholders(columns.length)})`;
    this.translate(() => {
      const statement = this.prepare(sql);
      for (const row of rows) statement.run(...columns.map((column) => row[column]));
    });
  }

  async insertNew(table: string, columns: readonly string[], rows: readonly SqlRow[]): Promise<boolean[]> {
    const sql = `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${placeholders(columns.length)}) ON CONFLICT DO NOTHING`;
    return this.translate(() => {
      const statement = this.prepare(sql);
      return rows.map((row) => statement.run(...columns.map((column) => row[column])).changes === 1);
    });
  }

  async updateRows(
    table: string,
    keys: readonly string[],
    changed: readonly string[],
    rows: readonly SqlRow[],
  ): Promise<void> {
    const assignments = changed.map((column) => `${column} = ?`).join(', ');
    const sql = `UPDATE ${table} SET ${assignments} WHERE ${keys.map((key) => `${key} = ?`).join(' AND ')}`;
    this.translate(() => {
      const statement = this.prepare(sql);
      for (const row of rows) statement.run(...[...changed, ...keys].map((column) => row[column]));
    });
  }

  execute(sql: string): void {
    this.translate(() => this.prepare(sql).run());
  }

  close(): void {
    this.connection.close();
  }

  private prepare(sql: string): BetterSqlite3.Statement {
    let statement = this.prepared.get(sql);
    if (statement === undefined) {
      statement = this.connection.prepare(sql);
      const oldest = this.prepared.keys().next();
      if (this.prepared.size >= 500 && oldest.done !== true) this.prepared.delete(oldest.value);
      this.prepared.set(sql, statement);
    }
    return statement;
  }

  private translate<Result>(work: () => Result): Result {
    try {
      return work();
    } catch (error) {
      const code = (error as { code?: unknown }).code;
      if (code === 'SQLITE_CONSTRAINT_UNIQUE' || code === 'SQLITE_CONSTRAINT_PRIMARYKEY')
        throw new UniqueViolation({ cause: error });
      if (typeof code === 'string' && /^SQLITE_(BUSY|FULL|IOERR|READONLY|CANTOPEN|LOCKED|CORRUPT|NOTADB)/.test(code))
        throw new AppError('database_unavailable', { retryAfterMs, cause: error });
      if (!this.connection.open) throw new AppError('database_unavailable', { retryAfterMs, cause: error });
      throw error;
    }
  }
}
