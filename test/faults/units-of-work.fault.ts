import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'mysql2';
import { DataSource } from 'typeorm';
import { loadEnv } from '../../src/config/env.js';
import { dataSourceOptions } from '../../src/data-source.js';
import type { Transaction } from '../../src/database/database.js';
import { MysqlDatabase, type MysqlLimits } from '../../src/database/mysql-database.js';
import { UserEvents } from '../../src/users/user-events.js';
import { registrations } from '../factories/user.factory.js';
import { startApp } from '../support/start-app.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { createDatabase, type TestDatabase } from '../support/test-database.js';

const overloaded = { code: 'overloaded', retryAfterMs: expect.any(Number) };

describe('a unit of work on a slow MariaDB', () => {
  // A single connection, so that whatever outlives a transaction would end up in the next one.
  const limits: MysqlLimits = { connections: 1, statementTimeoutMs: 8_000, acquireTimeoutMs: 10_000 };
  let schema: TestDatabase;
  let proxy: TcpProxy;
  let database: MysqlDatabase;

  beforeAll(async () => {
    schema = await createDatabase('mariadb');
    proxy = await TcpProxy.to(schema.url);
    const env = loadEnv({ DATABASE_URL: proxy.through(schema.url) });
    const dataSource = new DataSource(dataSourceOptions({ ...env, databasePoolSize: limits.connections }));
    await dataSource.initialize();
    database = new MysqlDatabase((dataSource.driver as unknown as { pool: Pool }).pool.promise(), limits);
    await database.write((transaction) =>
      transaction.run('CREATE TABLE things (app_id VARCHAR(36), name VARCHAR(64), PRIMARY KEY (app_id, name))'),
    );
  });
  afterEach(() => database.write((transaction) => transaction.run("DELETE FROM things WHERE app_id = 'a'")));
  afterAll(async () => {
    await database.close();
    await proxy.close();
    await schema.drop();
  });

  const insert = (transaction: Transaction, name: string) =>
    transaction.run('INSERT INTO things VALUES (?, ?)', ['a', name]);
  const names = async () =>
    (await database.read<{ name: string }>('SELECT name FROM things ORDER BY name')).map(({ name }) => name);

  it.each([
    ['in the middle of a statement', (transaction: Transaction) => transaction.read('SELECT SLEEP(6)')],
    ['between two statements', () => sleep(6_000)],
  ])('runs once and writes nothing, not even later, when it times out %s', async (_when, takeTime) => {
    let attempts = 0;
    let transaction: Transaction | undefined;
    let handler: Promise<unknown> | undefined;
    const handle = async () => {
      attempts += 1;
      await database.write(async (its) => {
        transaction = its;
        await insert(its, 'in time');
        await takeTime(its);
        await insert(its, 'late');
      });
      await database.write((its) => insert(its, 'later'));
    };
    const startedAt = performance.now();
    const unit = database.runInUnitOfWork(
      () => (handler = handle()),
      async () => undefined,
    );
    await expect(unit).rejects.toMatchObject(overloaded);
    expect(performance.now() - startedAt).toBeLessThan(5_900);
    await database
      .write(async (others) => {
        await insert(others, 'of others');
        await expect(handler).rejects.toThrow();
        await expect(insert(transaction as Transaction, 'stray')).rejects.toThrow('this transaction has ended');
        throw new Error('and nothing of it either');
      })
      .catch(() => undefined);
    expect(await names()).toEqual([]);
    expect(attempts).toBe(1);
  });

  it('does not commit if its work leaves a statement unawaited, and lends that connection to nobody', async () => {
    const [{ id }] = (await database.read<{ id: number }>('SELECT CONNECTION_ID() AS id')) as [{ id: number }];
    const write = database.write(async (transaction) => {
      await insert(transaction, 'one');
      void transaction.read('SELECT SLEEP(0.2)').catch(() => undefined);
    });
    await expect(write).rejects.toThrow('before its statements have ended');
    expect(await names()).toEqual([]);
    expect(await database.read('SELECT CONNECTION_ID() AS id')).not.toEqual([{ id }]);
  });

  it('waits no longer for a statement than allowed, even if another one on its connection is unanswered', async () => {
    const patient = new MysqlDatabase(
      (database as unknown as { pool: ConstructorParameters<typeof MysqlDatabase>[0] }).pool,
      { ...limits, statementTimeoutMs: 300 },
    );
    const startedAt = performance.now();
    const both = patient.write((transaction) =>
      Promise.allSettled([transaction.read('SELECT SLEEP(3)'), transaction.read('SELECT 1')]).then((results) => {
        expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
        throw new Error('no answer');
      }),
    );
    await expect(both).rejects.toThrow('no answer');
    expect(performance.now() - startedAt).toBeLessThan(1_500);
  });
});

it('a batch deletion with an Idempotency-Key on a slow MariaDB: one 503 after 5 s, and nobody is deleted', async () => {
  const schema = await createDatabase('mariadb');
  const proxy = await TcpProxy.to(schema.url);
  const running = await startApp({
    database: { ...schema, url: proxy.through(schema.url) },
    env: { DATABASE_POOL_SIZE: '2', DATABASE_STATEMENT_TIMEOUT_MS: '2000' },
  });
  try {
    for (const body of [registrations(30), registrations(30)])
      expect((await running.call('post', '/users', { body })).status).toBe(200);
    let deletions = 0;
    running.nest.get(UserEvents).onDeleteInTransaction(async () => void (deletions += 1));
    const deleteBatch = (key: string) =>
      running.call('delete', '/users?limit=20', { headers: { 'idempotency-key': key } });
    const key = randomUUID();
    proxy.slow(300);
    const answer = await deleteBatch(key);
    expect({ status: answer.status, retryAfter: answer.headers['retry-after'] }).toEqual({
      status: 503,
      retryAfter: '1',
    });
    expect(deletions).toBe(1);
    // Whatever its code would still do has had the time.
    await sleep(8_000);
    proxy.heal();
    const { body } = await running.call('get', '/users?limit=100');
    expect(body.entities).toHaveLength(60);
    expect((await deleteBatch(key)).body.entities).toHaveLength(20);
    expect(deletions).toBe(2);
    expect((await running.call('get', '/users?limit=100')).body.entities).toHaveLength(40);
  } finally {
    await running.stop();
    await proxy.close();
    await schema.drop();
  }
}, 60_000);
