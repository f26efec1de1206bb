import { DataSource } from 'typeorm';
import { createDatabase, type TestDatabase } from '../../test/support/test-database.js';
import { loadEnv } from '../config/env.js';
import { dataSourceOptions } from './data-source-options.js';
import { withMigrationLock } from './migration-lock.js';

describe('the migrations', () => {
  let schema: TestDatabase;
  let dataSource: DataSource;

  const open = () => new DataSource(dataSourceOptions(loadEnv({ DATABASE_URL: schema.url }))).initialize();
  const migrate = (on: DataSource) =>
    withMigrationLock(on, async () => {
      await on.runMigrations({ transaction: 'each' });
    });
  /** What TypeORM would change to make the tables equal to the entities. */
  const missing = async (): Promise<string[]> => {
    const options = dataSourceOptions(loadEnv({ DATABASE_URL: schema.url }));
    // Under the name of `mysql`, TypeORM takes MariaDB's `DEFAULT NULL` for a difference.
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

  it('make exactly the tables of the entities', async () => {
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

  it('go on where a process was killed in the middle of one', async () => {
    await migrate(dataSource);
    const tables = dataSource.entityMetadatas.map(({ tableName }) => tableName);
    for (const gone of [1, Math.ceil(tables.length / 2), tables.length - 1]) {
      // MySQL commits each CREATE TABLE by itself, so some tables are there, and no migration was written down.
      for (const table of tables.slice(-gone)) await dataSource.query(`DROP TABLE ${table}`);
      await dataSource.query('DELETE FROM migrations');
      await migrate(dataSource);
      expect(await missing()).toEqual([]);
    }
  });

  it('keep what is stored when they run again', async () => {
    await migrate(dataSource);
    await dataSource.query("INSERT INTO user_counts (app_id, slot, users) VALUES ('a', 0, 7)");
    await dataSource.query('DELETE FROM migrations');
    await migrate(dataSource);
    expect(await dataSource.query('SELECT app_id, slot, users FROM user_counts')).toEqual([
      { app_id: 'a', slot: 0, users: 7 },
    ]);
  });

  it('let only one node in at a time, and the lock is free after a failure', async () => {
    await migrate(dataSource);
    // Two holders at once would both be inside; on SQLite one process holds the file, so its one connection asks twice.
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
});
