import { AsyncResource } from 'node:async_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { DataSource } from 'typeorm';
import type { Pool } from 'mysql2';
import { loadEnv } from '../../src/config/env.js';
import { dataSourceOptions } from '../../src/data-source.js';
import type { Transaction } from '../../src/database/database.js';
import { MysqlDatabase, type MysqlLimits } from '../../src/database/mysql-database.js';
import { Database } from '../../src/database/database.js';
import { retryTimingTests } from '../support/form.js';
import { startApp } from '../support/start-app.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { createDatabase, type TestDatabase } from '../support/test-database.js';

retryTimingTests();

const limits: MysqlLimits = { connections: 4, statementTimeoutMs: 300, acquireTimeoutMs: 200 };
const unavailable = { code: 'database_unavailable', retryAfterMs: expect.any(Number) };

describe('MysqlDatabase', () => {
  const otherRequests = new AsyncResource('another request');
  let schema: TestDatabase;
  let proxy: TcpProxy;
  let dataSource: DataSource;
  let database: MysqlDatabase;

  beforeAll(async () => {
    schema = await createDatabase('mariadb');
    proxy = await TcpProxy.to(schema.url);
  });
  afterAll(async () => {
    await proxy.close();
    await schema.drop();
  });

  beforeEach(async () => {
    proxy.heal();
    const env = { DATABASE_URL: proxy.through(schema.url), DATABASE_POOL_SIZE: `${limits.connections}` };
    dataSource = new DataSource(dataSourceOptions(loadEnv(env)));
    await dataSource.initialize();
    database = new MysqlDatabase((dataSource.driver as unknown as { pool: Pool }).pool.promise(), limits);
    await database.write((transaction) =>
      transaction.run(
        'CREATE OR REPLACE TABLE things (app_id VARCHAR(36), name VARCHAR(64), n BIGINT, PRIMARY KEY (app_id, name))',
      ),
    );
  });
  afterEach(async () => {
    proxy.cut();
    // An unreachable server cannot be told that the connection closes.
    await dataSource.destroy().catch(() => undefined);
  });

  const numbers = async () => (await database.read<{ n: number }>('SELECT n FROM things ORDER BY n')).map(({ n }) => n);
  const add = (n: number) =>
    database.write((transaction) => transaction.run('INSERT INTO things VALUES (?, ?, ?)', ['a', `n${n}`, n]));
  /** As another request would run it. */
  const outside = <Result>(work: () => Promise<Result>): Promise<Result> => otherRequests.runInAsyncScope(work);
  const elapsed = async (work: () => Promise<unknown>): Promise<number> => {
    const startedAt = performance.now();
    await work();
    return performance.now() - startedAt;
  };

  it('retries a transaction that lost a deadlock, and the caller does not notice', async () => {
    await Promise.all([add(1), add(2)]);
    let attempts = 0;
    // Twenty pairs lock the same two rows in opposite orders; each waits long enough to meet the other.
    const change = (...names: [string, string]) =>
      database.write(async (transaction) => {
        attempts += 1;
        for (const name of names) {
          await transaction.run('UPDATE things SET n = n + 10 WHERE app_id = ? AND name = ?', ['a', name]);
          await transaction.read('SELECT SLEEP(0.01)');
        }
      });
    let pairs = 0;
    for (; attempts <= pairs * 2 && pairs < 50; pairs += 1) await Promise.all([change('n1', 'n2'), change('n2', 'n1')]);
    expect(attempts).toBeGreaterThan(pairs * 2);
    expect(await numbers()).toEqual([1 + pairs * 20, 2 + pairs * 20]);
  });

  it.each([1213, 1205, 1047, 3101])(
    'retries a read after the error %i, and then reports that it is unavailable',
    async (errno) => {
      const signal = `SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = ${errno}`;
      await expect(database.read(signal)).rejects.toMatchObject(unavailable);
      await expect(database.write((transaction) => transaction.run(signal))).rejects.toMatchObject(unavailable);
      expect(await numbers()).toEqual([]);
    },
  );

  describe('makes a unit of work one transaction', () => {
    const lost = "SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213";

    it('and runs all of it again if that was lost, even if the code did not notice', async () => {
      for (const swallow of [false, true]) {
        let attempts = 0;
        const use = async () => {
          attempts += 1;
          await add(10 + attempts);
          const failing = attempts === 1 ? database.write((transaction) => transaction.run(lost)) : Promise.resolve(0);
          await (swallow ? failing.catch(() => undefined) : failing);
          return attempts;
        };
        const last = async (transaction: Transaction, result: number) => {
          await transaction.run('INSERT INTO things VALUES (?, ?, ?)', ['a', `last${result}`, 100 + result]);
        };
        await expect(database.runInUnitOfWork(use, last)).resolves.toBe(2);
        expect(await numbers()).toEqual([12, 102]);
        await database.write((transaction) => transaction.run("DELETE FROM things WHERE app_id = 'a'"));
      }
    });

    it('and runs all of it again if one of its reads was lost', async () => {
      let attempts = 0;
      const use = async () => {
        attempts += 1;
        await add(20 + attempts);
        if (attempts === 1) await database.read(lost);
      };
      await database.runInUnitOfWork(use, async () => undefined);
      expect(await numbers()).toEqual([22]);
      await database.write((transaction) => transaction.run("DELETE FROM things WHERE app_id = 'a'"));
    });

    it('and leaves nothing of one that failed, nor of one that continued after a failed statement', async () => {
      const failing = database.runInUnitOfWork(
        async () => {
          await add(1);
          throw new Error('no');
        },
        async () => undefined,
      );
      await expect(failing).rejects.toThrow('no');
      const twice = database.runInUnitOfWork(
        async () => {
          await add(2);
          await add(2).catch(() => undefined);
        },
        async () => undefined,
      );
      await expect(twice).rejects.toMatchObject(unavailable);
      expect(await numbers()).toEqual([]);
    });

    it('that others see only as a whole, and that sees itself', async () => {
      const seen = await database.runInUnitOfWork(
        async () => {
          await Promise.all([add(1), add(2)]);
          return numbers();
        },
        async () => expect(await outside(() => numbers())).toEqual([]),
      );
      expect(seen).toEqual([1, 2]);
      expect(await numbers()).toEqual([1, 2]);
    });
  });

  it('reports an invalid statement as an internal error', async () => {
    await expect(database.read('SELEKT 1')).rejects.toMatchObject({ errno: 1064 });
    await expect(database.read('SELECT * FROM nothing')).rejects.toMatchObject({ errno: 1146 });
  });

  it('rolls back when the work throws, and the connection is as before', async () => {
    for (let time = 0; time < limits.connections * 3; time += 1)
      await expect(
        database.write(async (transaction) => {
          await transaction.run('INSERT INTO things VALUES (?, ?, ?)', ['a', 'x', time]);
          throw new Error('no');
        }),
      ).rejects.toThrow('no');
    expect(await numbers()).toEqual([]);
  });

  it('serves many more concurrent writes than it has connections', async () => {
    const patient = new MysqlDatabase((dataSource.driver as unknown as { pool: Pool }).pool.promise(), {
      ...limits,
      acquireTimeoutMs: 20_000,
    });
    const wanted = Array.from({ length: 200 }, (_none, index) => index);
    await Promise.all(
      wanted.map((n) =>
        patient.write((transaction) => transaction.run('INSERT INTO things VALUES (?, ?, ?)', ['a', `n${n}`, n])),
      ),
    );
    expect(await numbers()).toEqual(wanted);
    expect(proxy.connections).toBeLessThanOrEqual(limits.connections);
    expect(patient.writesWaiting).toBe(0);
  });

  it('refuses a caller that waited too long for a connection, and serves the others', async () => {
    const busy = Array.from({ length: limits.connections }, () =>
      database.write((transaction) => transaction.read('SELECT SLEEP(0.28)')),
    );
    const late = database.read('SELECT 1');
    const took = await elapsed(() => expect(late).rejects.toMatchObject(unavailable));
    expect(took).toBeGreaterThanOrEqual(limits.acquireTimeoutMs - 20);
    expect(took).toBeLessThan(limits.acquireTimeoutMs + 250);
    await Promise.all(busy);
    await expect(database.read('SELECT 1')).resolves.toHaveLength(1);
  });

  it('serves an app at once beside one that floods, and serves that one too', async () => {
    let flooding = true;
    let served = 0;
    // Each asks again at once, even if it was refused.
    const flood = Array.from({ length: 60 }, async () => {
      while (flooding)
        served += await database.read('SELECT SLEEP(0.05)', [], 'flood').then(
          () => 1,
          () => 0,
        );
    });
    await sleep(20);
    // Served in order of arrival, its queue would be longer than anybody may wait.
    const others = await Promise.allSettled(
      Array.from({ length: 10 }, () => database.read<{ n: number }>('SELECT 1 AS n', [], 'other')),
    );
    flooding = false;
    await Promise.all(flood);
    expect(others).toEqual(Array(10).fill({ status: 'fulfilled', value: [{ n: 1 }] }));
    expect(served).toBeGreaterThan(0);
    expect(database.writesWaiting).toBe(0);
  });

  it('aborts a statement that takes too long, and the next one does not wait behind it', async () => {
    const took = await elapsed(() => expect(database.read('SELECT SLEEP(5)')).rejects.toMatchObject(unavailable));
    expect(took).toBeLessThan(limits.statementTimeoutMs + 300);
    expect(await elapsed(() => database.read('SELECT 1'))).toBeLessThan(limits.statementTimeoutMs);
  });

  it('drops silent connections and works again as soon as the network is back', async () => {
    await Promise.all(Array.from({ length: limits.connections }, (_none, index) => add(index)));
    proxy.hold();
    const lost = await Promise.allSettled(
      Array.from({ length: limits.connections }, (_none, index) => add(100 + index)),
    );
    for (const result of lost) expect(result).toMatchObject({ status: 'rejected', reason: unavailable });
    proxy.heal();
    for (let time = 0; time < 20; time += 1) await expect(database.read('SELECT 1')).resolves.toHaveLength(1);
    await Promise.all([add(200), add(201), add(202), add(203), add(204)]);
    expect(await numbers()).toEqual(expect.arrayContaining([0, 1, 2, 3, 200, 201, 202, 203, 204]));
  });

  it('answers within a second while the server refuses everyone, and works again without a restart', async () => {
    await database.ping();
    proxy.refuse();
    for (let time = 0; time < 10; time += 1) {
      const took = await elapsed(() => expect(database.ping()).rejects.toMatchObject(unavailable));
      expect(took).toBeLessThan(1_000);
    }
    proxy.heal();
    await expect(database.ping()).resolves.toBeUndefined();
    await expect(add(1)).resolves.toBe(1);
  });

  it('answers within its timeouts while new connections end in a black hole', async () => {
    await database.ping();
    proxy.refuse();
    await expect(database.ping()).rejects.toMatchObject(unavailable);
    proxy.heal();
    proxy.hold();
    const took = await elapsed(() => expect(database.ping()).rejects.toMatchObject(unavailable));
    expect(took).toBeGreaterThan(500);
    expect(took).toBeLessThan(1_500);
    proxy.heal();
    await expect(database.ping()).resolves.toBeUndefined();
  });

  it('does not retry a write whose answer was lost, as it may have taken effect', async () => {
    let attempts = 0;
    const write = database.write(async (transaction) => {
      attempts += 1;
      await transaction.run('INSERT INTO things VALUES (?, ?, ?)', ['a', 'x', 1]);
      proxy.hold();
    });
    await expect(write).rejects.toMatchObject(unavailable);
    expect(attempts).toBe(1);
    proxy.heal();
    await sleep(0);
    expect([[], [1]]).toContainEqual(await numbers());
  });
});

describe('a service on MariaDB', () => {
  it('has its session settings on each of its connections, including those that ran migrations', async () => {
    const schema = await createDatabase('mariadb');
    const running = await startApp({ database: schema, env: { DATABASE_POOL_SIZE: '4' } });
    try {
      const database = running.nest.get(Database);
      const sessions = await Promise.all(
        Array.from({ length: 4 }, () =>
          database.write((transaction) =>
            transaction.read('SELECT @@tx_isolation AS isolation, @@wsrep_sync_wait AS wait, SLEEP(0.1) AS slept'),
          ),
        ),
      );
      expect(sessions.flat()).toEqual(Array(4).fill({ isolation: 'READ-COMMITTED', wait: 1, slept: 0 }));
    } finally {
      await running.stop();
      await schema.drop();
    }
  });
});
