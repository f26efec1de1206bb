import { DataSource, type DataSourceOptions, type MigrationInterface, type QueryRunner } from 'typeorm';
import { createDatabase, type TestDatabase } from '../../test/support/test-database.js';
import { loadEnv } from '../config/env.js';
import { dataSourceOptions } from '../data-source.js';
import { migrate, runPending } from './migrate.js';
import { MigrationLockLost, withMigrationLock } from './migration-lock.js';

describe('the migrations', () => {
  let schema: TestDatabase;
  let dataSource: DataSource;

  const open = (options: Partial<DataSourceOptions> = {}) =>
    new DataSource({
      ...dataSourceOptions(loadEnv({ DATABASE_URL: schema.url })),
      ...options,
    } as DataSourceOptions).initialize();
  /** What TypeORM would change to match the tables to the entities. */
  const missing = async (): Promise<string[]> => {
    const options = dataSourceOptions(loadEnv({ DATABASE_URL: schema.url }));
    // Under the driver name `mysql`, TypeORM mistakes MariaDB's `DEFAULT NULL` for a difference.
    const examiner = new DataSource(options.type === 'mysql' ? { ...options, type: 'mariadb' } : options);
    await examiner.initialize();
    const { upQueries } = await examiner.driver.createSchemaBuilder().log();
    await examiner.destroy();
    return upQueries.map(({ query }) => query);
  };

  beforeEach(async () => {
    schema = await createDatabase();
    dataSource = await open();
  });
  afterEach(async () => {
    await dataSource.destroy();
    await schema.drop();
  });

  it('create exactly the tables of the entities', async () => {
    expect(await missing()).not.toEqual([]);
    await migrate(dataSource);
    expect(await missing()).toEqual([]);
  });

  it('do nothing the second time', async () => {
    await migrate(dataSource);
    const before: unknown = await dataSource.query('SELECT * FROM migrations');
    await migrate(dataSource);
    expect(await dataSource.query('SELECT * FROM migrations')).toEqual(before);
    expect(await missing()).toEqual([]);
  });

  it('continue where a process was killed in the middle of one', async () => {
    await migrate(dataSource);
    const tables = dataSource.entityMetadatas.map(({ tableName }) => tableName);
    for (const gone of [1, Math.ceil(tables.length / 2), tables.length - 1]) {
      // MySQL commits each CREATE TABLE on its own, so some tables exist and no migration is recorded.
      for (const table of tables.slice(-gone)) await dataSource.query(`DROP TABLE ${table}`);
      await dataSource.query('DELETE FROM migrations');
      await migrate(dataSource);
      expect(await missing()).toEqual([]);
    }
  });

  it('keep the stored data when they run again', async () => {
    await migrate(dataSource);
    await dataSource.query("INSERT INTO user_counts (app_id, slot, users) VALUES ('a', 0, 7)");
    await dataSource.query('DELETE FROM migrations');
    await migrate(dataSource);
    expect(await dataSource.query('SELECT app_id, slot, users FROM user_counts')).toEqual([
      { app_id: 'a', slot: 0, users: 7 },
    ]);
  });

  it('admit one node at a time, and the lock is free after a failure', async () => {
    await migrate(dataSource);
    // Two simultaneous holders would both be inside; on SQLite one process holds the file, so its one connection asks
    // twice.
    const nodes =
      globalThis.rollcallEngine === 'sqlite' ? [dataSource, dataSource] : [dataSource, await open(), await open()];
    let inside = 0;
    let most = 0;
    const results = await Promise.allSettled(
      nodes.map((node, index) =>
        withMigrationLock(node, async () => {
          most = Math.max(most, (inside += 1));
          await node.query('SELECT 1');
          await new Promise((resolve) => setImmediate(resolve));
          inside -= 1;
          if (index === 0) throw new Error('no');
        }),
      ),
    );
    expect(most).toBe(1);
    expect(results.map(({ status }) => status)).toEqual(['rejected', ...nodes.slice(1).map(() => 'fulfilled')]);
    await Promise.all(nodes.filter((node) => node !== dataSource).map((node) => node.destroy()));
  });

  it('stop at the next change when another process has taken the lock over, and are not recorded', async () => {
    await migrate(dataSource);
    const takeOver = "UPDATE migration_lock SET holder = 'other', beat = beat + 1 WHERE id = 1";
    /** Its process is suspended in the middle. */
    class StoodStill1999999999999 implements MigrationInterface {
      async up(runner: QueryRunner): Promise<void> {
        await runner.query('CREATE TABLE before_it (id INT)');
        await runner.dataSource.query(takeOver);
        await runner.query('CREATE TABLE after_it (id INT)');
      }
      async down(): Promise<void> {
        // There is no rollback.
      }
    }
    const holder = await open({ migrations: [StoodStill1999999999999] });
    const work = withMigrationLock(holder, (lock) => runPending(holder, lock));
    await expect(work).rejects.toThrow(MigrationLockLost);
    await holder.destroy();
    const runner = dataSource.createQueryRunner();
    expect(await runner.hasTable('after_it')).toBe(false);
    await runner.release();
    const names = await dataSource.query<{ name: string }[]>('SELECT name FROM migrations');
    expect(names.map(({ name }) => name)).not.toContain(StoodStill1999999999999.name);
  });

  it('are not recorded either when the lock was lost in the last of their statements', async () => {
    await migrate(dataSource);
    class Last1999999999999 implements MigrationInterface {
      async up(runner: QueryRunner): Promise<void> {
        await runner.dataSource.query("UPDATE migration_lock SET holder = 'other', beat = beat + 1 WHERE id = 1");
      }
      async down(): Promise<void> {
        // There is no rollback.
      }
    }
    const holder = await open({ migrations: [Last1999999999999] });
    const work = withMigrationLock(holder, (lock) => runPending(holder, lock));
    await expect(work).rejects.toThrow(MigrationLockLost);
    await holder.destroy();
    const names = await dataSource.query<{ name: string }[]>('SELECT name FROM migrations');
    expect(names.map(({ name }) => name)).not.toContain(Last1999999999999.name);
  });
});
