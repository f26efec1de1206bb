import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataSource } from 'typeorm';
import { migrations } from '../data-source.js';
import { backUpSqlite } from './sqlite-backup.js';
import { openSqlite } from './sqlite-copy.js';
import { restoreSqlite } from './sqlite-restore.js';

let folder: string;
let path: string;
let file: string;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'rollcall-test-'));
  path = join(folder, 'rollcall.sqlite');
  file = join(folder, 'backup.sqlite');
  await migrated(path);
  set(path, 'before');
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A database as a service leaves it, with the first `count` migrations. */
async function migrated(database: string, count = migrations.length): Promise<void> {
  const dataSource = new DataSource({ type: 'better-sqlite3', database, migrations: migrations.slice(0, count) });
  await dataSource.initialize();
  await dataSource.runMigrations({ transaction: 'each' });
  await dataSource.query('PRAGMA journal_mode = WAL');
  await dataSource.destroy();
}

function change(database: string, sql: string): void {
  const connection = openSqlite(database);
  connection.exec(sql);
  connection.close();
}

function set(database: string, mark: string): void {
  change(database, `CREATE TABLE IF NOT EXISTS mark (text); DELETE FROM mark; INSERT INTO mark VALUES ('${mark}')`);
}

function markOf(database: string): unknown {
  const connection = openSqlite(database);
  try {
    return connection.prepare('SELECT text FROM mark').pluck().get();
  } finally {
    connection.close();
  }
}

const backUp = (force = false) =>
  backUpSqlite(path, file, { migrations, force, signal: new AbortController().signal, onProgress: () => undefined });
const restore = (force = false) => restoreSqlite(path, file, { migrations, force, suffix: 'old' });
const refused = (detail: RegExp) => ({ code: 'argument_invalid', detail: expect.stringMatching(detail) as string });
const names = () => readdirSync(folder).sort();

describe('backup', () => {
  it('creates one file for its owner only, and leaves nothing beside it', async () => {
    await backUp();
    expect(names()).toEqual(['backup.sqlite', 'rollcall.sqlite']);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(markOf(file)).toBe('before');
  });

  it('includes what a running service has only in its log', async () => {
    const service = openSqlite(path);
    service.exec("UPDATE mark SET text = 'in the log'");
    await backUp();
    service.close();
    expect(markOf(file)).toBe('in the log');
  });

  it('finishes even if somebody writes between any two of its steps, and is as of its beginning', async () => {
    change(path, `CREATE TABLE filler AS SELECT zeroblob(${8 * 1024 * 1024}) AS bytes`);
    const service = openSqlite(path);
    const percents: number[] = [];
    await backUpSqlite(path, file, {
      migrations,
      force: false,
      signal: AbortSignal.timeout(20_000),
      onProgress: (percent) => {
        percents.push(percent);
        service.prepare('UPDATE mark SET text = ?').run(`after ${percents.length} steps`);
      },
    });
    service.close();
    expect(percents.length).toBeGreaterThan(5);
    expect(percents).toEqual([...percents].sort((one, other) => one - other));
    expect([markOf(file), markOf(path)]).toEqual(['before', `after ${percents.length} steps`]);
  });

  it('replaces a file only when told to', async () => {
    writeFileSync(file, 'mine');
    await expect(backUp()).rejects.toMatchObject(refused(/exists: name another file/));
    expect(readFileSync(file, 'utf8')).toBe('mine');
    await backUp(true);
    expect(markOf(file)).toBe('before');
    expect(names()).toEqual(['backup.sqlite', 'rollcall.sqlite']);
  });

  it('of a damaged database creates no file', async () => {
    truncateSync(path, 16 * 1024);
    await expect(backUp()).rejects.toMatchObject(refused(/damaged/));
    expect(existsSync(file)).toBe(false);
    expect(names().filter((name) => name.includes('partial'))).toEqual([]);
  });

  it('of nothing creates no file, and no database either', async () => {
    rmSync(path);
    await expect(backUp()).rejects.toMatchObject(refused(/there is no database/));
    expect(names()).toEqual([]);
  });
});

describe('restore', () => {
  beforeEach(async () => {
    await backUp();
    set(path, 'after');
  });

  it('puts the copy in place and keeps the previous database', async () => {
    expect(await restore()).toBe(`${path}.old`);
    expect([markOf(path), markOf(`${path}.old`), markOf(file)]).toEqual(['before', 'after', 'before']);
    expect(names()).toEqual(['backup.sqlite', 'rollcall.sqlite', 'rollcall.sqlite.old']);
    expect([path, `${path}.old`].map((name) => statSync(name).mode & 0o777)).toEqual([0o600, 0o600]);
  });

  it('works if there is no database yet, whatever log one has left behind', async () => {
    rmSync(path);
    writeFileSync(`${path}-wal`, 'stale');
    expect(await restore()).toBeNull();
    expect(existsSync(`${path}-wal`)).toBe(false);
    expect(markOf(path)).toBe('before');
  });

  it('is refused while a service has the database open, even an idle one', async () => {
    const service = openSqlite(path);
    service.prepare('SELECT text FROM mark').get();
    await expect(restore()).rejects.toMatchObject(refused(/stop it first/));
    service.close();
    expect(markOf(path)).toBe('after');
    expect(names()).toEqual(['backup.sqlite', 'rollcall.sqlite']);
  });

  it('keeps what a killed service left in its log', async () => {
    const [main, log] = [readFileSync(path), () => readFileSync(`${path}-wal`)];
    const killed = openSqlite(path);
    killed.exec("UPDATE mark SET text = 'only in the log'");
    const left = log();
    killed.close();
    writeFileSync(path, main);
    writeFileSync(`${path}-wal`, left);
    await restore();
    expect([markOf(path), markOf(`${path}.old`)]).toEqual(['before', 'only in the log']);
  });

  it('over a damaged database has to be told that nobody uses it', async () => {
    writeFileSync(path, 'x'.repeat(8192));
    writeFileSync(`${path}-wal`, 'stale');
    await expect(restore()).rejects.toMatchObject(refused(/damaged .*--force/));
    await restore(true);
    expect(markOf(path)).toBe('before');
    expect(existsSync(`${path}-wal`)).toBe(false);
    expect(readFileSync(`${path}.old`, 'utf8')).toBe('x'.repeat(8192));
  });

  it('accepts a file of an older version', async () => {
    rmSync(file);
    await migrated(file, 2);
    set(file, 'older');
    await restore();
    expect(markOf(path)).toBe('older');
  });

  it.each<[string, RegExp, () => unknown]>([
    ['is not there', /there is no file/, () => rmSync(file)],
    ['is no database', /damaged, or no SQLite database/, () => writeFileSync(file, 'text '.repeat(2000))],
    ['is empty', /no database of Rollcall/, () => truncateSync(file, 0)],
    ['was cut off', /damaged/, () => truncateSync(file, 16 * 1024)],
    ['lacks a table', /lacks users/, () => change(file, 'DROP TABLE users')],
    ['has only a schema', /no migration/, () => change(file, 'DELETE FROM migrations')],
    [
      'is from a newer version',
      /newer version .*Later1999999999999/,
      () => change(file, "INSERT INTO migrations (timestamp, name) VALUES (1999999999999, 'Later1999999999999')"),
    ],
    ['has a log beside it', /has a file .*-wal beside it/, () => writeFileSync(`${file}-wal`, 'x')],
  ])('refuses a file that %s, and changes nothing', async (_what, detail, spoil) => {
    spoil();
    const before = names();
    await expect(restore()).rejects.toMatchObject(refused(detail));
    expect(markOf(path)).toBe('after');
    expect(names()).toEqual(before);
  });
});
