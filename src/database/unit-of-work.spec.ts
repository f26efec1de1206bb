import { setTimeout as sleep } from 'node:timers/promises';
import Sqlite from 'better-sqlite3';
import { captureLog, releaseLog } from '../logging/captured-log.fixture.js';
import { Database, type Transaction } from './database.js';
import { Gatherer } from './gatherer.js';
import { SqliteDatabase } from './sqlite-database.js';
import { afterCommit, currentUnit } from './unit-of-work.js';

const nothing = async (): Promise<void> => undefined;

describe('a unit of work', () => {
  let database: Database;

  beforeEach(() => {
    const connection = new Sqlite(':memory:');
    connection.exec('CREATE TABLE things (name TEXT PRIMARY KEY)');
    database = new SqliteDatabase(connection, null);
  });
  afterEach(() => database.close());

  const insert = (transaction: Transaction, name: string) =>
    transaction.run('INSERT INTO things (name) VALUES (?)', [name]);
  const add = (name: string) => database.write((transaction) => insert(transaction, name));
  const names = async () => {
    const rows = await database.read<{ name: string }>('SELECT name FROM things ORDER BY name');
    return rows.map(({ name }) => name);
  };

  it('that was open for too long runs once, is told so, and writes nothing, not even later in a write of others', async () => {
    let attempts = 0;
    let kept: Transaction | undefined;
    const over = Promise.withResolvers<void>();
    const late: Promise<unknown>[] = [];
    const unit = database.runInUnitOfWork(async () => {
      attempts += 1;
      await database.write(async (transaction) => {
        kept = transaction;
        await insert(transaction, 'in time');
      });
      await over.promise;
      late.push(add('late'), database.write(nothing));
      await Promise.all(late);
    }, nothing);
    await expect(unit).rejects.toMatchObject({ code: 'overloaded', retryAfterMs: expect.any(Number) });
    await database.write(async (transaction) => {
      await insert(transaction, 'of others');
      await expect(insert(kept as Transaction, 'stray')).rejects.toThrow('this transaction has ended');
      over.resolve();
      await sleep(0);
    });
    expect(late).toHaveLength(2);
    for (const write of late) await expect(write).rejects.toMatchObject({ code: 'overloaded' });
    expect(attempts).toBe(1);
    expect(await names()).toEqual(['of others']);
  });

  it('holds nobody up that failed while it waited for its turn', async () => {
    const free = Promise.withResolvers<void>();
    const before = database.write(() => free.promise);
    const unit = database.runInUnitOfWork(async () => {
      await Promise.all([
        add('never'),
        sleep(5).then(() => {
          free.resolve();
          throw new Error('no');
        }),
      ]);
    }, nothing);
    const begun = performance.now();
    await expect(unit).rejects.toThrow('no');
    await Promise.all([before, add('next')]);
    expect(performance.now() - begun).toBeLessThan(2_000);
    expect(await names()).toEqual(['next']);
  });

  it('has the whole of what its code began, also where nobody awaits it', async () => {
    const inTwoSteps = async (transaction: Transaction) => {
      await insert(transaction, 'first half');
      await sleep(5);
      await insert(transaction, 'second half');
    };
    const unawaited: Promise<unknown>[] = [];
    await database.runInUnitOfWork(async () => {
      unawaited.push(database.write(inTwoSteps));
    }, nothing);
    expect(await names()).toEqual(['first half', 'second half']);
    const failing = database.runInUnitOfWork(
      async () => {
        unawaited.push(database.write(async () => Promise.reject(new Error('half'))).catch(() => undefined));
        await add('whole');
      },
      () => Promise.reject(new Error('no')),
    );
    await expect(failing).rejects.toThrow();
    expect(await names()).toEqual(['first half', 'second half']);
  });

  it('leaves code that outlives it alone once it is committed, and refuses its writes where it failed', async () => {
    const written = (name: string) => {
      const timer = Promise.withResolvers<unknown>();
      setTimeout(() => void add(name).then(timer.resolve, timer.reject), 20);
      return timer.promise;
    };
    let later: Promise<unknown> | undefined;
    await database.runInUnitOfWork(async () => {
      await add('unit');
      later = written('after a commit');
    }, nothing);
    await expect(later).resolves.toBe(1);
    const failed = database.runInUnitOfWork(async () => {
      await add('undone');
      later = written('after a failure');
      later.catch(() => undefined);
      throw new Error('no');
    }, nothing);
    await expect(failed).rejects.toThrow('no');
    await expect(later).rejects.toThrow('no');
    expect(await names()).toEqual(['after a commit', 'unit']);
  });

  it('is seen by its own code only, not by the work of others that it set going', async () => {
    const units: Record<string, unknown> = {};
    const see = (where: string) => (units[where] = currentUnit());
    const gatherer = new Gatherer<string, void>(async (_appId, items) => items.map(see).map(() => undefined), {
      rows: 10,
      runs: 1,
    });
    let mayWrite: (() => void) | undefined;
    const others = new Promise<void>((resolve) => (mayWrite = resolve)).then(() =>
      Promise.all([
        database.write(async () => void see('a write of others')),
        gatherer.add('app', 'a batch of others'),
      ]),
    );
    await database.runInUnitOfWork(async () => {
      await add('first');
      mayWrite?.();
      await sleep(5);
      see('its own code');
      afterCommit(() => void see('a reaction'));
      setTimeout(() => {
        see('a timer that outlives it');
        void gatherer.add('app', 'a batch that such a timer began');
      }, 20);
    }, nothing);
    await others;
    await sleep(50);
    expect(units).toEqual({
      'its own code': expect.anything(),
      'a write of others': undefined,
      'a batch of others': undefined,
      'a reaction': undefined,
      'a timer that outlives it': undefined,
      'a batch that such a timer began': undefined,
    });
  });

  it('tells each reaction of its commit, and one that fails is logged and hides nothing', async () => {
    const logged = captureLog();
    try {
      const told: string[] = [];
      const react = (how: string) => {
        afterCommit(() => {
          throw new Error(`${how}, at once`);
        });
        afterCommit(() => Promise.reject(new Error(`${how}, later`)));
        afterCommit(() => told.push(how));
      };
      await database.runInUnitOfWork(async () => {
        await add('unit');
        react('in a unit');
        expect(told).toEqual([]);
      }, nothing);
      react('alone');
      await sleep(0);
      expect(told).toEqual(['in a unit', 'alone']);
      for (const how of ['in a unit', 'alone'])
        for (const when of ['at once', 'later'])
          expect(logged).toContainEqual(expect.stringContaining(`${how}, ${when}`));
      expect(await names()).toEqual(['unit']);
    } finally {
      releaseLog();
    }
  });
});
