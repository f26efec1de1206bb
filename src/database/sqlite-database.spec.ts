import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import type { Transaction } from './database.js';
import { UniqueViolation } from './database.js';
import { SqliteDatabase, type SqliteLimits } from './sqlite-database.js';

const insert = 'INSERT INTO things (app_id, name, text) VALUES (?, ?, ?)';

describe('SqliteDatabase', () => {
  let folder: string;
  let writer: Sqlite.Database;
  /** Sees only committed data. */
  let witness: Sqlite.Database;
  let database: SqliteDatabase;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rollcall-sqlite-'));
    const path = join(folder, 'db.sqlite');
    writer = new Sqlite(path);
    writer.pragma('journal_mode = WAL');
    writer.pragma('synchronous = FULL');
    writer.exec('CREATE TABLE things (app_id TEXT, name TEXT, text TEXT, PRIMARY KEY (app_id, name)) WITHOUT ROWID');
    witness = new Sqlite(path, { readonly: true });
    database = new SqliteDatabase(writer, new Sqlite(path, { readonly: true }));
  });
  afterEach(async () => {
    await database.close();
    witness.close();
    writer.close();
    await rm(folder, { recursive: true });
  });

  const add = (name: string, text = '') => database.write((transaction) => transaction.run(insert, ['a', name, text]));
  const committed = () =>
    (witness.prepare('SELECT name FROM things ORDER BY name').all() as { name: string }[]).map(({ name }) => name);

  it('does not undo other writes when one write of a group fails', async () => {
    const results = await Promise.allSettled([
      add('one'),
      database.write(async (transaction) => {
        await transaction.run(insert, ['a', 'undone', '']);
        throw new Error('no');
      }),
      add('two'),
      add('one'),
      add('three'),
    ]);
    expect(results.map(({ status }) => status)).toEqual([
      'fulfilled',
      'rejected',
      'fulfilled',
      'rejected',
      'fulfilled',
    ]);
    expect(results[3]).toMatchObject({ reason: expect.any(UniqueViolation) });
    expect(committed()).toEqual(['one', 'three', 'two']);
  });

  it('resolves no write before the commit', async () => {
    const seen: boolean[] = [];
    await Promise.all(
      Array.from({ length: 600 }, async (_none, index) => {
        const name = `n${index}`;
        const before = committed().includes(name);
        await add(name);
        seen.push(!before && !writer.inTransaction && committed().includes(name));
      }),
    );
    expect(seen).toEqual(Array(600).fill(true));
  });

  it('shares a commit between waiting writes', async () => {
    const commits = new Set<number>();
    // A connection's data_version changes once per commit of another connection.
    const version = () => witness.pragma('data_version', { simple: true }) as number;
    const before = version();
    await Promise.all(
      Array.from({ length: 200 }, (_none, index) => add(`n${index}`).then(() => commits.add(version()))),
    );
    expect(commits.size).toBeLessThan(5);
    expect(version()).toBeGreaterThan(before);
  });

  it('accepts a write at any point of the end of another', async () => {
    for (let moments = 0; moments < 20; moments += 1) {
      await add(`one ${moments}`);
      for (let moment = 0; moment < moments; moment += 1) await Promise.resolve();
      await add(`two ${moments}`);
    }
    expect(committed()).toHaveLength(40);
  });

  it('never shows a write part of another', async () => {
    await add('counter', '0');
    const increment = (transaction: Transaction) =>
      transaction
        .read<{ text: string }>('SELECT text FROM things WHERE app_id = ? AND name = ?', ['a', 'counter'])
        .then(([row]) =>
          transaction.run('UPDATE things SET text = ? WHERE app_id = ? AND name = ?', [
            `${Number(row?.text) + 1}`,
            'a',
            'counter',
          ]),
        );
    await Promise.all(Array.from({ length: 300 }, () => database.write(increment)));
    expect(await database.read('SELECT text FROM things')).toEqual([{ text: '300' }]);
  });

  it('reads acknowledged writes, not those in progress', async () => {
    const half = database.write(async (transaction) => {
      await transaction.run(insert, ['a', 'half', '']);
      expect(await database.read('SELECT name FROM things')).toEqual([]);
    });
    await half;
    expect(await database.read('SELECT name FROM things')).toEqual([{ name: 'half' }]);
  });

  it('keeps acknowledged writes on a full disk, refuses the others, and resumes when there is room', async () => {
    const pages = writer.pragma('page_count', { simple: true }) as number;
    writer.pragma(`max_page_count = ${pages + 20}`);
    const acknowledged: string[] = [];
    const refused: unknown[] = [];
    await Promise.all(
      Array.from({ length: 100 }, (_none, index) => {
        const name = `big${index}`;
        return add(name, 'x'.repeat(5_000)).then(
          () => acknowledged.push(name),
          (error: unknown) => refused.push(error),
        );
      }),
    );
    expect(refused.length).toBeGreaterThan(0);
    for (const error of refused) expect(error).toMatchObject({ code: 'database_unavailable', retryAfterMs: 1000 });
    expect(committed()).toEqual(acknowledged.sort());
    writer.pragma('max_page_count = 1000000');
    await add('after', 'x'.repeat(5_000));
    expect(committed()).toEqual([...acknowledged, 'after'].sort());
  });

  it('answers everybody when its file disappears', async () => {
    await add('one');
    const waiting = [add('two'), add('three')];
    writer.close();
    for (const write of waiting) await expect(write).rejects.toMatchObject({ code: 'database_unavailable' });
    await expect(add('four')).rejects.toMatchObject({ code: 'database_unavailable' });
    expect(database.writesWaiting).toBe(0);
    expect(await database.read('SELECT name FROM things')).toEqual([{ name: 'one' }]);
  });

  describe('while another program holds the write lock', () => {
    let other: Sqlite.Database;
    const patient = { maxQueued: 10, maxLockWaitMs: 5_000 };
    const open = (limits: SqliteLimits) => {
      const path = writer.name;
      return new SqliteDatabase(writer, new Sqlite(path, { readonly: true }), limits);
    };
    const addTo = (locked: SqliteDatabase, name: string) =>
      locked.write((transaction) => transaction.run(insert, ['a', name, '']));

    beforeEach(() => {
      other = new Sqlite(writer.name);
      other.exec('BEGIN IMMEDIATE');
    });
    afterEach(() => other.close());

    it('waits without blocking the event loop, and commits once the lock is free', async () => {
      const locked = open(patient);
      const write = addTo(locked, 'one');
      let longestMs = 0;
      for (let turn = 0, last = performance.now(); turn < 20; turn += 1) {
        await new Promise((resolve) => setTimeout(resolve, 10));
        const now = performance.now();
        longestMs = Math.max(longestMs, now - last);
        last = now;
      }
      expect(longestMs).toBeLessThan(1_000);
      expect(await locked.read('SELECT name FROM things')).toEqual([]);
      other.exec('COMMIT');
      await write;
      expect(committed()).toEqual(['one']);
    });

    it('refuses writes that waited too long, and accepts writes again when the lock is free', async () => {
      const locked = open({ ...patient, maxLockWaitMs: 50 });
      const writes = [addTo(locked, 'one'), addTo(locked, 'two')];
      for (const write of writes)
        await expect(write).rejects.toMatchObject({ code: 'database_unavailable', retryAfterMs: 1000 });
      expect(locked.writesWaiting).toBe(0);
      other.exec('COMMIT');
      await addTo(locked, 'three');
      expect(committed()).toEqual(['three']);
    });

    it('refuses writes while the queue is full', async () => {
      const locked = open(patient);
      const writes = Array.from({ length: 10 }, (_none, index) => addTo(locked, `n${index}`));
      await expect(addTo(locked, 'surplus')).rejects.toMatchObject({ code: 'overloaded', retryAfterMs: 1000 });
      expect(locked.writesWaiting).toBe(10);
      other.exec('COMMIT');
      await Promise.all(writes);
      expect(committed()).toHaveLength(10);
    });
  });

  it('leaves everything in the main file when it closes, and no journal', async () => {
    await add('one');
    witness.close();
    await database.close();
    writer.close();
    expect((await readdir(folder)).sort()).toEqual(['db.sqlite']);
  });

  it('commits what is queued before it closes', async () => {
    const writes = Promise.all([add('one'), add('two')]);
    await database.close();
    await writes;
    expect(committed()).toEqual(['one', 'two']);
  });

  it('returns for each row of insertNew whether it was inserted', async () => {
    const row = (name: string) => ({ app_id: 'a', name, text: name });
    const columns = ['app_id', 'name', 'text'];
    const rows = ['x', 'y', 'x', 'z'].map(row);
    await add('y');
    const inserted = await database.write((transaction) => transaction.insertNew('things', columns, rows, 'text'));
    expect(inserted).toEqual([true, false, false, true]);
  });
});

describe('SqliteDatabase in memory', () => {
  it('reads and writes on its one connection', async () => {
    const connection = new Sqlite(':memory:');
    connection.exec('CREATE TABLE things (app_id TEXT, name TEXT, text TEXT, PRIMARY KEY (app_id, name))');
    const database = new SqliteDatabase(connection, null);
    const write = database.write((transaction) => transaction.run(insert, ['a', 'one', '']));
    expect(await database.read('SELECT name FROM things')).toEqual([{ name: 'one' }]);
    expect(await write).toBe(1);
    await database.close();
  });

  it('bounds waiting reads as it bounds writes', async () => {
    const database = new SqliteDatabase(new Sqlite(':memory:'), null, { maxQueued: 3, maxLockWaitMs: 50 });
    const reads = Array.from({ length: 3 }, () => database.ping());
    await expect(database.ping()).rejects.toMatchObject({ code: 'overloaded', retryAfterMs: 1000 });
    await Promise.all(reads);
    await database.close();
  });
});
