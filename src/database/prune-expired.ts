import type { Transaction } from './database.js';
import type { SqlDialect } from './sql-dialect.js';

/** More than one, so that expired rows cannot accumulate if this is called once per new row. */
const prunedPerCall = 10;

/**
 * Deletes some rows of an app whose `expires_at` has passed. `key` is the column after `app_id` in the primary key.
 * @param newRows how many rows the caller has added; more than that are deleted
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
