import { DataSource, type DataSourceOptions, type MigrationInterface, type QueryRunner } from 'typeorm';
import { createDatabase, type TestDatabase } from '../../test/support/test-database.js';
import { loadEnv } from '../config/env.js';
import { dataSourceOptions, migrations } from '../data-source.js';
import { migrate, runPending } from './migrate.js';
import { MigrationLockLost, withMigrationLock } from './migration-lock.js';
import { Bans1764400000000 } from './migrations/1764400000000-bans.js';

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

  it('turn the earlier history of bans into bans, once, however often they are cut off', async () => {
    const earlier = await open({ migrations: migrations.slice(0, migrations.indexOf(Bans1764400000000)) });
    await withMigrationLock(earlier, (lock) => runPending(earlier, lock));
    await earlier.query(
      'INSERT INTO apps (id, org, name, public_id, certificate, disabled, settings, created_at, token_secret)' +
        " VALUES ('a', 'o', 'n', 'p', 'c', 0, '{}', 1, 's')",
    );
    const users = ['banned', 'free', 'often'];
    for (const [index, uuid] of users.entries())
      await earlier.query(
        'INSERT INTO users (app_id, username, uuid, id, activated, created_at, modified_at, token_epoch)' +
          ' VALUES (?, ?, ?, ?, ?, 1, 1, 0)',
        ['a', uuid, uuid, index + 1, uuid === 'banned' ? 0 : 1],
      );
    const line = (uuid: string, id: number, activated: number, reason: string | null = null) =>
      ['a', uuid, id, activated, 1_000 + id, `actor ${id}`, reason] as const;
    const lines = [
      ...[line('banned', 1, 0, 'first'), line('banned', 2, 1, 'sorry'), line('banned', 3, 0), line('banned', 4, 0)],
      ...[line('deleted', 1, 0), line('free', 1, 1), line('free', 2, 0, 'spam'), line('free', 3, 1)],
      // More than are read at once.
      ...Array.from({ length: 1_100 }, (_none, index) => line('often', index + 1, index % 2)),
    ];
    for (let start = 0; start < lines.length; start += 100) {
      const some = lines.slice(start, start + 100);
      await earlier.query(
        'INSERT INTO user_activations (app_id, user_uuid, id, activated, at, actor, reason)' +
          ` VALUES ${some.map(() => '(?, ?, ?, ?, ?, ?, ?)').join(', ')}`,
        some.flat(),
      );
    }
    await earlier.destroy();

    await migrate(dataSource);
    const copied = () =>
      dataSource.query<Record<string, unknown>[]>(
        'SELECT user_uuid, id, user_id, state, due_at, starts_at, ends_at, reason, note, banned_by, source, created_at,' +
          ' outcome, lifted_at, lifted_by, lift_reason FROM bans ORDER BY user_uuid, id',
      );
    const bans = (await copied()).map(numbered);
    const common = { due_at: null, ends_at: null, note: null, source: 'earlier_version' };
    const inForce = { outcome: null, lifted_at: null, lifted_by: null, lift_reason: null };
    expect(bans.slice(0, 3)).toEqual([
      {
        ...{ ...common, user_uuid: 'banned', id: 1, user_id: 1, state: null, starts_at: 1_001, created_at: 1_001 },
        ...{ banned_by: 'actor 1', reason: 'first', outcome: 'lifted', lifted_at: 1_002, lifted_by: 'actor 2' },
        lift_reason: 'sorry',
      },
      {
        ...{ ...common, ...inForce, user_uuid: 'banned', id: 3, user_id: 1, state: 1, starts_at: 1_003 },
        ...{ created_at: 1_003, banned_by: 'actor 3', reason: null },
      },
      {
        ...{ ...common, user_uuid: 'free', id: 2, user_id: 2, state: null, starts_at: 1_002, created_at: 1_002 },
        ...{ banned_by: 'actor 2', reason: 'spam', outcome: 'lifted', lifted_at: 1_003, lifted_by: 'actor 3' },
        lift_reason: null,
      },
    ]);
    const often = bans.slice(3);
    expect(often.map(({ user_uuid, state, id, lifted_at }) => [user_uuid, state, id, lifted_at])).toEqual(
      Array.from({ length: 550 }, (_none, index) => ['often', null, 2 * index + 1, 1_002 + 2 * index]),
    );

    await dataSource.query("DELETE FROM bans WHERE user_uuid = 'often' AND id > 700");
    await dataSource.query('DELETE FROM migrations');
    await migrate(dataSource);
    expect((await copied()).map(numbered)).toEqual(bans);
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

/** A driver may return whole numbers as text. */
function numbered(row: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, /^\d+$/.test(String(value)) ? Number(value) : value]),
  );
}
