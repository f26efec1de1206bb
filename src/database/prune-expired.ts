import type { Transaction } from './database.js';
import type { SqlDialect } from './sql-dialect.js';

/** More than one, so that with one call for each new row what has ended cannot gather. */
const prunedPerCall = 10;

/**
 * Deletes some rows of one app whose `expires_at` is over. `key` is the column behind `app_id` in the primary key.
 * @param newRows as many as the caller has added; more than that are forgotten
 */
export async function pruneExpired(
  transaction: Transaction,
  dialect: SqlDialect,
  table: string,
  key: string,
  appId: string,
  nowMs: number,
  newRows = 1,
): Promise<void> {
  const ended = await transaction.read<Record<string, string>>(
    `SELECT ${key} FROM ${table} WHERE app_id = ? AND expires_at <= ? ORDER BY expires_at LIMIT ?`,
    [appId, nowMs, prunedPerCall * newRows],
  );
  if (ended.length === 0) return;
  const among = dialect.among(key, ended.map((row) => row[key] as string).sort());
  await transaction.run(`DELETE FROM ${table} WHERE app_id = ? AND ${among.sql}`, [appId, ...among.values]);
}
