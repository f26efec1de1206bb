// Databases with many users in one app, built once and cached: the files are reused as long as the schema is unchanged.
import Sqlite from 'better-sqlite3';
import { createHash } from 'node:crypto';
import { constants, existsSync } from 'node:fs';
import { access, copyFile, mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createConnection } from 'mysql2/promise';
import { columns, rowsByName } from './names.mjs';

/** @typedef {(text: string) => void} Say */

const rowsPerTransaction = 10_000;
const rowsPerStatement = 2_000;
const reportEvery = 200_000;
const insertInto = `INSERT INTO users (${columns.join(', ')}) VALUES`;

/** @param {unknown} value */
const shortHash = (value) => createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 12);

/** Copies so that other processes never see a partial file. @param {string} from @param {string} to */
async function keep(from, to) {
  const unfinished = `${to}.${process.pid}`;
  await copyFile(from, unfinished, constants.COPYFILE_FICLONE);
  await rename(unfinished, to);
}

/**
 * Fills the SQLite file at `path`, which Rollcall has created with the app bench/bench and which is not open anywhere.
 *
 * @param {string} path @param {number} users @param {string} cache @param {Say} say
 */
export async function fillSqlite(path, users, cache, say) {
  const database = new Sqlite(path);
  const { id } = /** @type {{ id: string }} */ (
    database.prepare("SELECT id FROM apps WHERE org = 'bench' AND name = 'bench'").get()
  );
  const cached = join(cache, `${users}-${shortHash(database.prepare('SELECT sql FROM sqlite_master').all())}.sqlite`);
  if (existsSync(cached)) {
    say(`${users} users from ${cached}`);
    database.close();
    for (const ending of ['-wal', '-shm']) await rm(path + ending, { force: true });
    await copyFile(cached, path, constants.COPYFILE_FICLONE);
    return;
  }
  database.pragma('synchronous = OFF');
  database.pragma('cache_size = -1000000');
  const insert = database.prepare(`${insertInto} (${columns.map(() => '?').join(', ')})`);
  let filled = 0;
  database.exec('BEGIN');
  for (const row of rowsByName(id, users)) {
    insert.run(...row);
    filled += 1;
    if (filled % rowsPerTransaction === 0) database.exec('COMMIT; BEGIN');
    if (filled % reportEvery === 0) say(`${filled} of ${users} users into SQLite`);
  }
  database.prepare('INSERT INTO user_counts (app_id, slot, users) VALUES (?, 0, ?)').run(id, users);
  database.exec('COMMIT');
  database.pragma('wal_checkpoint(TRUNCATE)');
  database.close();
  await mkdir(cache, { recursive: true });
  await keep(path, cached);
}

/**
 * The same on MariaDB. Its tables are files that can be copied if this process may read the server's folder.
 *
 * @param {string} url @param {number} users @param {string} cache @param {Say} say
 */
export async function fillMysql(url, users, cache, say) {
  const database = await createConnection(url);
  try {
    // The rows contain the id of their app, so it has to be the same in every run.
    const appId = '00000000-0000-4000-8000-000000000001';
    await database.query("UPDATE apps SET id = ? WHERE org = 'bench' AND name = 'bench'", [appId]);
    await database.query('INSERT INTO user_counts (app_id, slot, users) VALUES (?, 0, ?)', [appId, users]);
    const [[table]] = /** @type {[{ 'Create Table': string }[], unknown]} */ (
      await database.query('SHOW CREATE TABLE users')
    );
    const cached = join(cache, `${users}-${shortHash(table?.['Create Table'].replace(/AUTO_INCREMENT=\d+/, ''))}`);
    const files = await tableFiles(database);
    if (files !== null && ['ibd', 'cfg'].every((ending) => existsSync(`${cached}.${ending}`))) {
      say(`${users} users from ${cached}.ibd`);
      await database.query('ALTER TABLE users DISCARD TABLESPACE');
      for (const ending of ['ibd', 'cfg']) await copyFile(`${cached}.${ending}`, `${files}.${ending}`);
      await database.query('ALTER TABLE users IMPORT TABLESPACE');
    } else {
      await insertAll(database, appId, users, say);
      if (files === null) return;
      await mkdir(cache, { recursive: true });
      await database.query('FLUSH TABLES users FOR EXPORT');
      for (const ending of ['ibd', 'cfg']) await keep(`${files}.${ending}`, `${cached}.${ending}`);
      await database.query('UNLOCK TABLES');
    }
    await database.query('ANALYZE TABLE users');
  } finally {
    await database.end();
  }
}

/** @param {import('mysql2/promise').Connection} database @param {string} appId @param {number} users @param {Say} say */
async function insertAll(database, appId, users, say) {
  await database.query('SET unique_checks = 0, autocommit = 0');
  /** @type {unknown[][]} */
  let rows = [];
  let filled = 0;
  const write = async () => {
    if (rows.length === 0) return;
    await database.query(`${insertInto} ?`, [rows]);
    rows = [];
    if (filled % rowsPerTransaction === 0) await database.query('COMMIT');
    if (filled % reportEvery === 0) say(`${filled} of ${users} users into MariaDB`);
  };
  for (const row of rowsByName(appId, users)) {
    rows.push(row);
    filled += 1;
    if (rows.length === rowsPerStatement) await write();
  }
  await write();
  await database.query('COMMIT');
  await database.query('SET unique_checks = 1, autocommit = 1');
}

/**
 * The path of the table's files, without extensions; null if they are not accessible. @param
 * {import('mysql2/promise').Connection} database
 */
async function tableFiles(database) {
  const [[at]] = /** @type {[{ folder: string, name: string }[], unknown]} */ (
    await database.query('SELECT @@datadir AS folder, DATABASE() AS name')
  );
  const files = join(at?.folder ?? '', at?.name ?? '', 'users');
  return access(`${files}.ibd`, constants.R_OK | constants.W_OK).then(
    () => files,
    () => null,
  );
}
