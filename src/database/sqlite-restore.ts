import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  constants,
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { dirname, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type BetterSqlite3 from 'better-sqlite3';
import { checkSqliteFile, isDamage, openSqlite, type Migrations, refuse, syncPath } from './sqlite-copy.js';

export interface RestoreOptions {
  readonly migrations: Migrations;
  /** Also replaces a database that is too damaged to tell whether a service uses it. */
  readonly force: boolean;
  /** The suffix under which the old database is kept. */
  readonly suffix: string;
}

const besides = ['-wal', '-shm', '-journal'];
/** Within this time, a service that has just opened a file has its lock. */
const openedWithinMs = 500;

/**
 * Replaces the SQLite database at `path` with a copy of `file`, atomically and synced to disk.
 * @returns where the previous database is kept; null if there was none
 * @throws AppError argument_invalid if the file is not intact or from a newer version, or a service uses the database
 */
export async function restoreSqlite(path: string, file: string, options: RestoreOptions): Promise<string | null> {
  const target = resolve(path);
  if (!existsSync(file)) refuse(`there is no file ${file}`);
  if (existsSync(target) && statSync(file).ino === statSync(target).ino) refuse(`${file} is the database itself`);
  if (existsSync(`${file}-wal`) && statSync(`${file}-wal`).size > 0)
    refuse(`${file} has a file ${file}-wal beside it that belongs to it: copy it with the command backup`);
  mkdirSync(dirname(target), { recursive: true });
  const partial = `${target}.restoring-${randomBytes(4).toString('hex')}`;
  try {
    copyFileSync(file, partial, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
    chmodSync(partial, 0o600);
    if (existsSync(target)) keepOwner(target, partial);
    await checkSqliteFile(partial, file, options.migrations);
    syncPath(partial);
    return await replace(target, partial, options);
  } finally {
    for (const ending of ['', ...besides]) rmSync(`${partial}${ending}`, { force: true });
  }
}

async function replace(target: string, partial: string, { force, suffix }: RestoreOptions): Promise<string | null> {
  const existed = existsSync(target);
  const kept = `${target}.${suffix}`;
  const lock = existed ? lockUnused(target, force) : null;
  try {
    // Files left beside a missing or damaged database would be taken for a part of the new one.
    for (const ending of besides)
      if (existsSync(`${target}${ending}`)) renameSync(`${target}${ending}`, `${kept}${ending}`);
    if (existed) keep(target, kept);
    // There is a database under the name at every moment: the old one until here, the new one from here on.
    renameSync(partial, target);
    syncPath(dirname(target));
  } finally {
    lock?.close();
  }
  if (!existed) return null;
  // A service that opened the old file at this very moment waits for the lock, and would continue with that file.
  await sleep(openedWithinMs);
  if (lock !== null) assertUnused(kept);
  return kept;
}

/**
 * Every connection of a service holds a lock on the file while it is open, and SQLite leaves WAL mode only under an
 * exclusive lock. The contents of the log are then in the file.
 */
function lockUnused(path: string, force: boolean): BetterSqlite3.Database | null {
  const database = openSqlite(path);
  try {
    database.pragma('busy_timeout = 0');
    if (database.pragma('journal_mode = DELETE', { simple: true }) !== 'delete') inUse(path);
    database.exec('BEGIN EXCLUSIVE');
    return database;
  } catch (error) {
    database.close();
    if (/^SQLITE_BUSY/.test((error as { code?: string }).code ?? '')) inUse(path);
    if (!isDamage(error)) throw error;
    if (!force)
      refuse(
        `the database at ${path} is damaged and cannot tell whether a service uses it: stop that, and add --force`,
      );
    return null;
  }
}

function assertUnused(kept: string): void {
  try {
    lockUnused(kept, false)?.close();
  } catch {
    refuse(
      `a service was started at the same moment and works on the database until now, ${kept}: stop it at once. ` +
        'The restored database is in its place; what the service has written since is in the other',
    );
  }
}

/** The service may run as a different user than the one who restores. */
function keepOwner(target: string, partial: string): void {
  const { uid, gid } = statSync(target);
  try {
    chownSync(partial, uid, gid);
  } catch {
    refuse(`the database belongs to the user ${uid} and group ${gid}: restore as that user`);
  }
}

function inUse(path: string): never {
  refuse(`a service or another command uses the database at ${path}: stop it first`);
}

function keep(target: string, kept: string): void {
  try {
    linkSync(target, kept);
  } catch {
    // Some file systems do not support links.
    copyFileSync(target, kept, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
    syncPath(kept);
  }
  chmodSync(kept, 0o600);
}
