import { createRequire } from 'node:module';
import type BetterSqlite3 from 'better-sqlite3';
import { createConnection } from 'mysql2/promise';

/** What the database itself returns, bypassing the service: one SELECT over its own connection. */
export async function rowsOf<Row>(databaseUrl: string, sql: string): Promise<Row[]> {
  if (databaseUrl.startsWith('sqlite:')) {
    const Sqlite = createRequire(import.meta.url)('better-sqlite3') as typeof BetterSqlite3;
    const connection = new Sqlite(databaseUrl.slice('sqlite:'.length), { readonly: true });
    try {
      return connection.prepare(sql).all() as Row[];
    } finally {
      connection.close();
    }
  }
  const connection = await createConnection({ uri: databaseUrl, supportBigNumbers: true });
  try {
    return (await connection.query(sql))[0] as Row[];
  } finally {
    await connection.end();
  }
}

/** One UPDATE over a connection of its own, bypassing the service. */
export async function updateRows(databaseUrl: string, sql: string, values: readonly string[]): Promise<void> {
  if (databaseUrl.startsWith('sqlite:')) {
    const Sqlite = createRequire(import.meta.url)('better-sqlite3') as typeof BetterSqlite3;
    const connection = new Sqlite(databaseUrl.slice('sqlite:'.length), { fileMustExist: true });
    try {
      connection.prepare(sql).run(...values);
    } finally {
      connection.close();
    }
    return;
  }
  const connection = await createConnection({ uri: databaseUrl });
  try {
    await connection.execute(sql, [...values]);
  } finally {
    await connection.end();
  }
}
