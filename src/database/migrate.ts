import { setTimeout as sleep } from 'node:timers/promises';
import { type DataSource, MigrationExecutor } from 'typeorm';
import { type MigrationLock, MigrationLockLost, withMigrationLock } from './migration-lock.js';

/** How long a start waits for another program to release the lock of an SQLite file. */
const maxBusyMs = 30_000;
const retryEveryMs = 200;
const maxAttempts = 3;
const changesNothing = /^\s*(SELECT|PRAGMA|SHOW|BEGIN|START|ROLLBACK)\b/i;

/**
 * Brings the schema up to date. Any number of processes may do this at once: one does the work, the others wait for it.
 */
export async function migrate(dataSource: DataSource): Promise<void> {
  for (const busyUntil = performance.now() + maxBusyMs; ;) {
    try {
      return await withMigrationLock(dataSource, (lock) => runPending(dataSource, lock));
    } catch (error) {
      // The process that took over may have left something undone, or may have died.
      if (error instanceof MigrationLockLost) continue;
      if (!isBusy(error)) throw error;
      if (performance.now() > busyUntil)
        throw new Error('another program holds the lock of the SQLite file', { cause: error });
      await sleep(retryEveryMs);
    }
  }
}

/**
 * Runs each migration that is not recorded yet. It renews the lock before every change, so a process that was suspended
 * for too long stops at the next one.
 * @throws MigrationLockLost
 */
export async function runPending(dataSource: DataSource, lock: MigrationLock): Promise<void> {
  const runner = dataSource.createQueryRunner();
  const query = runner.query.bind(runner);
  runner.query = async (...statement: Parameters<typeof query>) => {
    if (!changesNothing.test(statement[0])) await lock.keep(query);
    const result: unknown = await query(...statement);
    return result as never;
  };
  const executor = new MigrationExecutor(dataSource, runner);
  // MySQL commits each DDL statement on its own. So a migration may be half done, or be run by two processes for the
  // time of one statement; migrations are written so that they can run again, and only the holder records them.
  const atOnce = dataSource.options.type === 'better-sqlite3';
  try {
    // Creates the table of migrations if it is missing.
    await executor.showMigrations();
    for (const migration of await executor.getPendingMigrations()) {
      for (let attempt = 1; ; attempt += 1) {
        try {
          if (!atOnce) await migration.instance?.up(runner);
          await runner.startTransaction();
          if (atOnce) await migration.instance?.up(runner);
          await executor.insertMigration(migration);
          await runner.commitTransaction();
          break;
        } catch (error) {
          if (runner.isTransactionActive) await runner.rollbackTransaction().catch(() => undefined);
          if (error instanceof MigrationLockLost || isBusy(error) || attempt === maxAttempts) throw error;
        }
      }
    }
  } finally {
    // SQLite has a single query runner.
    runner.query = query;
    await runner.release();
  }
}

function isBusy(error: unknown): boolean {
  const { code, driverError } = error as { code?: unknown; driverError?: { code?: unknown } };
  return /^SQLITE_BUSY/.test(String(driverError?.code ?? code));
}
