import { createRequire } from 'node:module';
import type BetterSqlite3 from 'better-sqlite3';
import { createConnection } from 'mysql2';

/** A statement that went to an engine, and what was bound to it. */
export interface Statement {
  readonly sql: string;
  readonly values: readonly unknown[];
  /** Which connection it went over. */
  readonly connection: object;
}

interface Query {
  query(sql: string | { sql: string; values?: unknown }, values?: unknown, ...more: unknown[]): unknown;
}

type Execute = (...values: unknown[]) => unknown;

/** Every statement that this process sends to SQLite or to a MySQL-protocol server, as the drivers get it. */
export class StatementLog {
  readonly statements: Statement[] = [];
  private readonly undo: (() => void)[] = [];

  /** From now on, until `stop`. */
  constructor() {
    this.followSqlite();
    this.followMysql();
  }

  stop(): void {
    for (const undo of this.undo.splice(0)) undo();
  }

  private followSqlite(): void {
    const { prototype } = createRequire(import.meta.url)('better-sqlite3') as typeof BetterSqlite3;
    const { prepare, exec } = prototype;
    const log = (statement: Statement): number => this.statements.push(statement);
    prototype.prepare = function (this: BetterSqlite3.Database, sql: string) {
      const statement = prepare.call(this, sql);
      const executes = statement as unknown as Record<'run' | 'all' | 'get' | 'iterate', Execute>;
      for (const name of ['run', 'all', 'get', 'iterate'] as const) {
        const execute = executes[name];
        executes[name] = (...values) => {
          log({ sql, values: values.flat(), connection: this });
          return execute.apply(statement, values);
        };
      }
      return statement;
    } as typeof prepare;
    prototype.exec = function (this: BetterSqlite3.Database, sql: string) {
      log({ sql, values: [], connection: this });
      return exec.call(this, sql);
    };
    this.undo.push(() => Object.assign(prototype, { prepare, exec }));
  }

  private followMysql(): void {
    const log = (statement: Statement): number => this.statements.push(statement);
    const prototype = ownerOfQuery();
    for (const name of ['query', 'execute'] as const) {
      const original = prototype[name];
      prototype[name] = function (this: object, sql, values, ...more) {
        const bound = typeof values === 'function' || values === undefined ? undefined : values;
        const [text, inside] = typeof sql === 'string' ? [sql, undefined] : [sql.sql, sql.values];
        log({ sql: text, values: [bound ?? inside ?? []].flat(), connection: this });
        return original.call(this, sql, values, ...more);
      };
      this.undo.push(() => (prototype[name] = original));
    }
  }
}

/** The class that all connections of the driver have in common; the package does not export it. */
function ownerOfQuery(): Record<'query' | 'execute', Query['query']> {
  // Never connects: the port is no server's, and nobody waits.
  const connection = createConnection({ host: '127.0.0.1', port: 1 });
  connection.on('error', () => undefined);
  connection.destroy();
  let owner = Object.getPrototypeOf(connection) as object;
  while (!Object.hasOwn(owner, 'query')) owner = Object.getPrototypeOf(owner) as object;
  return owner as Record<'query' | 'execute', Query['query']>;
}
