import { AsyncLocalStorage } from 'node:async_hooks';
import { createRequire } from 'node:module';
import { relative } from 'node:path';
import type BetterSqlite3 from 'better-sqlite3';
import { createConnection } from 'mysql2';
import { Database } from '../../src/database/database.js';

/** A statement sent to an engine, with its values. */
export interface Statement {
  readonly sql: string;
  readonly values: readonly unknown[];
  /** The connection it was sent over. */
  readonly connection: object;
}

/** A statement as the log has it, with the place that sent it. */
export interface LoggedStatement extends Statement {
  /** The noun's file, such as `src/users/users.repository.ts`; null for the database layer itself, or its driver. */
  readonly sender: string | null;
}

/** The sender of a read: after waiting for a connection, a caller that does not await is no longer on the stack. */
const reader = new AsyncLocalStorage<string | null>();

/** The noun is far up the stack from the driver, with the database classes between them. */
const framesToSender = 50;

/** The nearest file of a noun on the stack, awaiting callers included. */
function findSender(): string | null {
  const { stackTraceLimit, prepareStackTrace } = Error;
  Error.stackTraceLimit = framesToSender;
  // File names only: mapping each location to its line takes a hundred times as long.
  Error.prepareStackTrace = (_error, sites) => sites.map((site) => site.getFileName() ?? '');
  const files = new Error('sent').stack as unknown as string[];
  Object.assign(Error, { stackTraceLimit, prepareStackTrace });
  const ofNouns = files.map((file) => relative(process.cwd(), file.replace(/^file:\/\//, '')));
  return ofNouns.find((file) => /^src\/(?!database\/).+\//.test(file)) ?? null;
}

interface Query {
  query(sql: string | { sql: string; values?: unknown }, values?: unknown, ...more: unknown[]): unknown;
}

type Execute = (...values: unknown[]) => unknown;

/** Every statement that this process sends to SQLite or to a MySQL-protocol server, as the drivers receive it. */
export class StatementLog {
  readonly statements: LoggedStatement[] = [];
  private readonly undo: (() => void)[] = [];

  /** From now on, until `stop`. */
  constructor() {
    this.followReads();
    this.followSqlite();
    this.followMysql();
  }

  private log(sql: string, values: readonly unknown[], connection: object): void {
    this.statements.push({ sql, values, connection, sender: reader.getStore() ?? findSender() });
  }

  stop(): void {
    for (const undo of this.undo.splice(0)) undo();
  }

  private followReads(): void {
    const { prototype } = Database;
    const { read } = prototype;
    prototype.read = function (this: Database, ...given: Parameters<typeof read>) {
      return reader.run(findSender(), () => read.apply(this, given));
    } as typeof read;
    this.undo.push(() => (prototype.read = read));
  }

  private followSqlite(): void {
    const { prototype } = createRequire(import.meta.url)('better-sqlite3') as typeof BetterSqlite3;
    const { prepare, exec } = prototype;
    const log = this.log.bind(this);
    prototype.prepare = function (this: BetterSqlite3.Database, sql: string) {
      const statement = prepare.call(this, sql);
      const executes = statement as unknown as Record<'run' | 'all' | 'get' | 'iterate', Execute>;
      for (const name of ['run', 'all', 'get', 'iterate'] as const) {
        const execute = executes[name];
        executes[name] = (...values) => {
          log(sql, values.flat(), this);
          return execute.apply(statement, values);
        };
      }
      return statement;
    } as typeof prepare;
    prototype.exec = function (this: BetterSqlite3.Database, sql: string) {
      log(sql, [], this);
      return exec.call(this, sql);
    };
    this.undo.push(() => Object.assign(prototype, { prepare, exec }));
  }

  private followMysql(): void {
    const log = this.log.bind(this);
    const prototype = ownerOfQuery();
    for (const name of ['query', 'execute'] as const) {
      const original = prototype[name];
      prototype[name] = function (this: object, sql, values, ...more) {
        const bound = typeof values === 'function' || values === undefined ? undefined : values;
        const [text, inside] = typeof sql === 'string' ? [sql, undefined] : [sql.sql, sql.values];
        log(text, [bound ?? inside ?? []].flat(), this);
        return original.call(this, sql, values, ...more);
      };
      this.undo.push(() => (prototype[name] = original));
    }
  }
}

/** The class shared by all connections of the driver; the package does not export it. */
function ownerOfQuery(): Record<'query' | 'execute', Query['query']> {
  // Never connects: no server listens on the port, and nobody waits.
  const connection = createConnection({ host: '127.0.0.1', port: 1 });
  connection.on('error', () => undefined);
  connection.destroy();
  let owner = Object.getPrototypeOf(connection) as object;
  while (!Object.hasOwn(owner, 'query')) owner = Object.getPrototypeOf(owner) as object;
  return owner as Record<'query' | 'execute', Query['query']>;
}
