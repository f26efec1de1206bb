import { createRequire } from 'node:module';
import { closeSync, fsyncSync, openSync } from 'node:fs';
import type BetterSqlite3 from 'better-sqlite3';
import { DataSource, type MigrationInterface } from 'typeorm';
import { AppError } from '../errors/app-error.js';

/** In order, from the first one: the history of a database of this version. */
export type Migrations = readonly (new () => MigrationInterface)[];

/**
 * The path of an SQLite database; null if it is on a server. @throws AppError for an in-memory database, which has no
 * file
 */
export function sqlitePath(databaseUrl: string): string | null {
  if (!databaseUrl.startsWith('sqlite:')) return null;
  const path = databaseUrl.slice('sqlite:'.length);
  if (path === ':memory:') refuse('DATABASE_URL names a database in memory, which has no file');
  return path;
}

export function openSqlite(path: string): BetterSqlite3.Database {
  const Sqlite = createRequire(import.meta.url)('better-sqlite3') as typeof BetterSqlite3;
  return new Sqlite(path, { fileMustExist: true });
}

/**
 * Checks that a copy is intact, belongs to Rollcall, and is not from a newer version. The tables it should have are
 * those of the migrations it records. Turns it into a single file without a journal beside it.
 * @throws AppError argument_invalid, saying what is wrong with `name`
 */
export async function checkSqliteFile(path: string, name: string, migrations: Migrations): Promise<void> {
  let present: Set<string>;
  let applied: string[] = [];
  try {
    const database = openSqlite(path);
    try {
      database.pragma('journal_mode = DELETE');
      const [problem] = database.prepare('PRAGMA integrity_check(1)').pluck().all() as string[];
      if (problem !== 'ok') refuse(`${name} is damaged: ${problem}`);
      const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").pluck().all() as string[];
      present = new Set(tables);
      if (present.has('migrations'))
        applied = database.prepare('SELECT name FROM migrations').pluck().all() as string[];
    } finally {
      database.close();
    }
  } catch (error) {
    throw isDamage(error) ? refusal(`${name} is damaged, or no SQLite database`) : error;
  }
  if (applied.length === 0) refuse(`${name} is no database of Rollcall: no migration ever ran in it`);
  const known = new Set<string>(migrations.map((migration) => migration.name));
  const newer = applied.filter((migration) => !known.has(migration));
  if (newer.length > 0) refuse(`${name} is from a newer version of Rollcall, which made ${newer.join(', ')}`);
  const missing = (await tablesAfter(migrations.filter(({ name }) => applied.includes(name)))).filter(
    (table) => !present.has(table),
  );
  if (missing.length > 0) refuse(`${name} is not whole: it lacks ${missing.join(', ')}`);
}

/** Whether SQLite says that a file is not, or no longer, a database. */
export function isDamage(error: unknown): boolean {
  return /^SQLITE_(CORRUPT|NOTADB)/.test((error as { code?: string }).code ?? '');
}

/** Syncs a file or folder to disk. */
export function syncPath(path: string): void {
  const handle = openSync(path, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

export function refusal(detail: string): AppError {
  return new AppError('argument_invalid', { detail });
}

export function refuse(detail: string): never {
  throw refusal(detail);
}

async function tablesAfter(migrations: Migrations): Promise<string[]> {
  const dataSource = new DataSource({
    type: 'better-sqlite3',
    database: ':memory:',
    migrations: [...migrations],
  });
  await dataSource.initialize();
  try {
    await dataSource.runMigrations({ transaction: 'each' });
    const rows = await dataSource.query<{ name: string }[]>("SELECT name FROM sqlite_schema WHERE type = 'table'");
    return rows.map((row) => row.name);
  } finally {
    await dataSource.destroy();
  }
}
