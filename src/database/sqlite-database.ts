import { AsyncResource } from 'node:async_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type BetterSqlite3 from 'better-sqlite3';
import { AppError } from '../errors/app-error.js';
import { Database, type SqlRow, type SqlValue, type Transaction, UniqueViolation } from './database.js';
import { placeholders, sqlDialects } from './sql-dialect.js';
import { SqliteTransaction } from './sqlite-transaction.js';
import { outsideUnits } from './unit-of-work.js';

type Connection = BetterSqlite3.Database;

interface QueuedWrite {
  readonly work: (transaction: Transaction) => Promise<unknown>;
  readonly resolve: (result: never) => void;
  readonly reject: (error: unknown) => void;
  readonly queuedAtMs: number;
}

/** How many writes may share a commit; bounds how long the event loop is blocked. */
const maxGroup = 256;
export interface SqliteLimits {
  /** Writes that may wait for their turn; with an in-memory database, reads too. */
  readonly maxQueued: number;
  /** How long a statement waits while another program holds the file lock. */
  readonly maxLockWaitMs: number;
}

/** Twice as many writes as a node handles requests at once. */
const defaultLimits: SqliteLimits = { maxQueued: 2_000, maxLockWaitMs: 5_000 };
const lockPollMs = 10;
const retryAfterMs = 1000;

/**
 * SQLite has one writer. All writes go through one queue, which commits whatever has gathered as one transaction, each
 * write in its own savepoint: many callers share one fsync, and a failing write does not undo the others.
 */
export class SqliteDatabase extends Database {
  readonly engine = 'sqlite';
  readonly dialect = sqlDialects.sqlite;

  private readonly writer: Statements;
  private readonly reader: Statements | null;
  private queue: QueuedWrite[] = [];
  private draining: Promise<void> | null = null;

  /** @param reader a second connection to the same file; null for an in-memory database, whose reads are queued too */
  constructor(
    writer: Connection,
    reader: Connection | null,
    private readonly limits: SqliteLimits = defaultLimits,
  ) {
    super();
    this.writer = new Statements(writer);
    this.reader = reader === null ? null : new Statements(reader);
  }

  get writesWaiting(): number {
    return this.queue.length;
  }

  protected async readCommitted<Row>(sql: string, values: readonly SqlValue[]): Promise<Row[]> {
    if (this.reader === null) return this.transact((transaction) => transaction.read<Row>(sql, values));
    const until = performance.now() + this.limits.maxLockWaitMs;
    for (;;) {
      try {
        return await this.reader.read<Row>(sql, values);
      } catch (error) {
        // Readers never wait, except for a program that has locked the whole file or is recovering its journal.
        if (!(error instanceof FileLocked) || performance.now() >= until) throw error;
        await sleep(lockPollMs);
      }
    }
  }

  protected transact<Result>(work: (transaction: Transaction) => Promise<Result>): Promise<Result> {
    if (this.queue.length >= this.limits.maxQueued) return Promise.reject(new AppError('overloaded', { retryAfterMs }));
    return new Promise<Result>((resolve, reject) => {
      // As part of the caller's operation, although the queue works for all.
      this.queue.push({ work: AsyncResource.bind(work), resolve, reject, queuedAtMs: performance.now() });
      // It works for every caller that arrives meanwhile, not for the unit of work of the first one.
      this.draining ??= outsideUnits(() => this.drain());
    });
  }

  /** There is one writer, so a transaction is never lost to another. */
  protected transactOnce<Result>(work: (transaction: Transaction) => Promise<Result>): Promise<Result> {
    return this.transact(work);
  }

  protected explain(error: unknown): unknown {
    return error;
  }

  async close(): Promise<void> {
    await this.draining;
    // The writer goes last: a read-only connection cannot checkpoint the journal into the main file.
    this.reader?.close();
    this.writer.foldJournal();
  }

  private async drain(): Promise<void> {
    try {
      while (this.queue.length > 0) {
        // Statements block this thread, so requests pile up in the sockets: read those before each commit.
        await new Promise(setImmediate);
        if (await this.begin()) await this.commit(this.queue.splice(0, maxGroup));
      }
    } finally {
      // Reset as soon as the queue is found empty: a write that arrives later must start a new run, or it would wait
      // for ever.
      this.draining = null;
    }
  }

  /** Takes the file's write lock. @returns false if every waiting write was refused */
  private async begin(): Promise<boolean> {
    while (this.queue.length > 0) {
      try {
        this.writer.execute('BEGIN IMMEDIATE');
        return true;
      } catch (error) {
        this.refuse(error instanceof FileLocked ? this.takeOverdue() : this.queue.splice(0, maxGroup), error);
      }
      await sleep(lockPollMs);
    }
    return false;
  }

  private takeOverdue(): QueuedWrite[] {
    const since = performance.now() - this.limits.maxLockWaitMs;
    const inTime = this.queue.findIndex(({ queuedAtMs }) => queuedAtMs > since);
    return this.queue.splice(0, inTime === -1 ? this.queue.length : inTime);
  }

  private refuse(writes: readonly QueuedWrite[], error: unknown): void {
    for (const write of writes) write.reject(error);
  }

  /** Runs the writes within the open transaction. */
  private async commit(group: readonly QueuedWrite[]): Promise<void> {
    const settle: (() => void)[] = [];
    try {
      for (const write of group) settle.push(await this.attempt(write));
      this.writer.execute('COMMIT');
    } catch (error) {
      this.rollBack();
      this.refuse(group, error);
      return;
    }
    for (const answer of settle) answer();
  }

  /** Runs one write in its savepoint. Its result is handed out only after the commit. */
  private async attempt(write: QueuedWrite): Promise<() => void> {
    this.writer.execute('SAVEPOINT one_write');
    const transaction = new SqliteTransaction(this.writer);
    try {
      const result = await write.work(transaction);
      transaction.end();
      this.writer.execute('RELEASE one_write');
      return () => write.resolve(result as never);
    } catch (error) {
      transaction.end();
      // On a full or broken disk, SQLite has ended the whole transaction, and with it the writes before this one.
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

  constructor(private readonly connection: Connection) {
    // SQLite's own wait for a lock would block the thread that serves everybody.
    connection.pragma('busy_timeout = 0');
  }

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

  /** Checkpoints the journal into the main file. */
  foldJournal(): void {
    try {
      this.connection.pragma('wal_checkpoint(TRUNCATE)');
    } catch {
      // On a full or broken disk, it stays in the journal, where the next start finds it.
    }
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
      if (typeof code === 'string' && lockedCode.test(code)) throw new FileLocked(error);
      if (typeof code === 'string' && /^SQLITE_(FULL|IOERR|READONLY|CANTOPEN|CORRUPT|NOTADB)/.test(code))
        throw new AppError('database_unavailable', { retryAfterMs, cause: error });
      if (!this.connection.open) throw new AppError('database_unavailable', { retryAfterMs, cause: error });
      throw error;
    }
  }
}

const lockedCode = /^SQLITE_(BUSY|LOCKED)/;

/** Another program holds the file lock. */
class FileLocked extends AppError {
  constructor(cause: unknown) {
    super('database_unavailable', { retryAfterMs, cause, detail: 'another program holds the lock of the SQLite file' });
  }
}
