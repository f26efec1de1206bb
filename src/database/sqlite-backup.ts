import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, linkSync, openSync, renameSync, rmSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type BetterSqlite3 from 'better-sqlite3';
import { checkSqliteFile, isDamage, openSqlite, type Migrations, refuse, syncPath } from './sqlite-copy.js';

export interface BackupOptions {
  readonly migrations: Migrations;
  /** Replaces an existing file. */
  readonly force: boolean;
  readonly signal: AbortSignal;
  /** Called with the progress, in whole per cent. */
  readonly onProgress: (percent: number) => void;
}

/** Pages copied between two checks for signals; 1 MiB with pages of 4 KiB. */
const pagesPerStep = 256;

/**
 * Copies an SQLite database to `file` while the service runs: as of one moment, verified, synced to disk, readable only
 * by its owner, and under its final name only when it is complete.
 * @throws AppError argument_invalid if there is nothing to copy, the file exists, or the copy is not intact
 */
export async function backUpSqlite(path: string, file: string, options: BackupOptions): Promise<void> {
  const target = resolve(file);
  if (!existsSync(path)) refuse(`there is no database at ${path}`);
  if (!existsSync(dirname(target))) refuse(`there is no folder ${dirname(target)}`);
  if (existsSync(target) && !options.force) refuseToReplace(file);
  const partial = `${target}.partial-${randomBytes(4).toString('hex')}`;
  closeSync(openSync(partial, 'wx', 0o600));
  try {
    await copy(path, partial, options);
    await checkSqliteFile(partial, 'the copy', options.migrations);
    // Signals that arrived during verification.
    await new Promise(setImmediate);
    options.signal.throwIfAborted();
    syncPath(partial);
    publish(partial, target, file, options.force);
    syncPath(dirname(target));
  } catch (error) {
    if (options.signal.aborted) refuse('stopped: there is no new backup');
    if (isDamage(error)) refuse(`the database at ${path} is damaged: ${(error as Error).message}`);
    throw error;
  } finally {
    for (const ending of ['', '-journal', '-wal', '-shm']) rmSync(`${partial}${ending}`, { force: true });
  }
}

/**
 * SQLite restarts a copy whenever another connection writes. Inside a transaction that has already read, it sees the
 * database as of that read, so there is no change to restart for.
 */
async function copy(path: string, partial: string, { signal, onProgress }: BackupOptions): Promise<void> {
  const source = openSqlite(path);
  try {
    source.exec('BEGIN');
    source.prepare('SELECT COUNT(*) FROM sqlite_schema').get();
    await source.backup(partial, {
      progress: ({ totalPages, remainingPages }: BetterSqlite3.BackupMetadata) => {
        signal.throwIfAborted();
        onProgress(Math.floor((100 * (totalPages - remainingPages)) / totalPages));
        return pagesPerStep;
      },
    });
    onProgress(100);
    source.exec('ROLLBACK');
  } finally {
    source.close();
  }
}

function publish(partial: string, target: string, file: string, force: boolean): void {
  if (!force) {
    try {
      // Unlike a rename, this fails if somebody else has created the file meanwhile.
      linkSync(partial, target);
      return;
    } catch (error) {
      if ((error as { code?: string }).code === 'EEXIST') refuseToReplace(file);
      // Some file systems do not support links.
      if (existsSync(target)) refuseToReplace(file);
    }
  }
  renameSync(partial, target);
}

function refuseToReplace(file: string): never {
  refuse(`${file} exists: name another file, or replace it with --force`);
}
