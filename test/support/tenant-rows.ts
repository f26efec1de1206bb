import { createHash } from 'node:crypto';
import type { Database } from '../../src/database/database.js';

/** Tables that belong to no app: those that run the service, and the apps themselves. */
const tablesWithoutApp = ['apps', 'id_nodes', 'migration_lock', 'migrations', 'retention_clock'];

/** The tables of the running schema, and whether their rows belong to apps. */
export async function tablesOf(database: Database): Promise<{ name: string; ofApps: boolean }[]> {
  const sql =
    database.engine === 'sqlite'
      ? "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"
      : 'SELECT table_name AS name FROM information_schema.tables WHERE table_schema = DATABASE() ORDER BY table_name';
  const tables = await database.read<{ name: string }>(sql);
  return tables.map(({ name }) => ({ name, ofApps: !tablesWithoutApp.includes(name) }));
}

/** What the service writes and removes by itself in the course of time, whoever calls. */
const tablesOfTime = ['user_changes', 'user_last_seen', 'audit_seals', 'audit_terms'];

/**
 * The lasting rows of an app, as a number of rows and their hash for each table. Fails for a table that names no app.
 */
export async function rowsOf(database: Database, appId: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const { name, ofApps } of await tablesOf(database)) {
    if ((!ofApps && name !== 'apps') || tablesOfTime.includes(name)) continue;
    const rows = await database.read<object>(`SELECT * FROM ${name} WHERE ${ofApps ? 'app_id' : 'id'} = ?`, [appId]);
    const texts = rows.map((row) => JSON.stringify(row)).sort();
    found[name] = `${texts.length} rows, ${createHash('sha256').update(texts.join('\n')).digest('hex')}`;
  }
  return found;
}
