import { closeSync, existsSync, mkdirSync, openSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/** The absolute path of the file that a database URL names; null if the database is in memory or on a server. */
export function sqliteFileOf(databaseUrl: string): string | null {
  if (!databaseUrl.startsWith('sqlite:') || databaseUrl === 'sqlite::memory:') return null;
  return resolve(databaseUrl.slice('sqlite:'.length));
}

/** Why a database that has to exist cannot be used, and what to do about it; null if it exists, or is not a file. */
export function missingSqliteFile(databaseUrl: string): string | null {
  const path = sqliteFileOf(databaseUrl);
  if (path === null || existsSync(path)) return null;
  return `there is no database at ${path}: set DATABASE_URL, or run this where the service runs; migrate creates a new one`;
}

/**
 * Creates the file and its folders if they are missing, accessible only to this user, as it holds the certificates of
 * all apps. SQLite gives the files beside it the same mode. Existing files keep their mode.
 */
export function createMissingSqliteFile(path: string): void {
  if (path === ':memory:' || existsSync(path)) return;
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  closeSync(openSync(path, 'a', 0o600));
}
