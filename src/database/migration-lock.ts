import { setTimeout as sleep } from 'node:timers/promises';
import { randomUUID } from 'node:crypto';
import type { DataSource, QueryRunner } from 'typeorm';

const table = 'migration_lock';
const beatEveryMs = 1000;
/** A holder whose beat has not moved for this long is considered dead. */
const deadAfterMs = 10_000;
const maxWaitMs = 120_000;
const pollEveryMs = 200;
const moveBeat = `UPDATE ${table} SET beat = beat + 1 WHERE id = 1 AND holder = ?`;

type Query = QueryRunner['query'];

/** Another process has taken the lock over, as this one showed no sign of life. */
export class MigrationLockLost extends Error {
  constructor() {
    super('another process has taken over the lock of migrations');
    this.name = 'MigrationLockLost';
  }
}

/**
 * The row whose beat the holder moves. Each move is conditional on holding the lock, so a holder that lost it finds
 * out.
 */
export class MigrationLock {
  constructor(private readonly holder: string) {}

  /**
   * Moves the beat. In a transaction, this also locks the row, so nobody takes over before the transaction ends.
   * @throws MigrationLockLost
   */
  async keep(query: Query): Promise<void> {
    const { affected } = await query(moveBeat, [this.holder], true);
    if (affected !== 1) throw new MigrationLockLost();
  }
}

/**
 * Runs `work` while no other node does, with a row as the lock: GET_LOCK does not work on Galera. The holder keeps
 * moving the row's beat; a waiting node takes over if the beat stops by its own clock, so clocks need not agree. The
 * beat has its own connection, so the pool needs two.
 */
export async function withMigrationLock(
  dataSource: DataSource,
  work: (lock: MigrationLock) => Promise<void>,
): Promise<void> {
  const holder = randomUUID();
  await dataSource.query(
    `CREATE TABLE IF NOT EXISTS ${table} (id SMALLINT NOT NULL PRIMARY KEY, holder VARCHAR(36) NOT NULL, beat BIGINT NOT NULL)`,
  );
  await acquire(dataSource, holder);
  let moving = false;
  const beating = setInterval(() => {
    // On a network that went silent, one may be pending for ever.
    if (moving) return;
    moving = true;
    dataSource
      .query(moveBeat, [holder])
      .catch(() => undefined)
      .finally(() => (moving = false));
  }, beatEveryMs);
  try {
    await work(new MigrationLock(holder));
  } finally {
    clearInterval(beating);
    await dataSource.query(`UPDATE ${table} SET holder = '', beat = beat + 1 WHERE id = 1 AND holder = ?`, [holder]);
  }
}

async function acquire(dataSource: DataSource, holder: string): Promise<void> {
  const started = performance.now();
  let seenBeat: number | null = null;
  let seenAt = started;
  while (performance.now() - started < maxWaitMs) {
    const row = await readRow(dataSource);
    if (row === null) {
      // Losing this race to another node is as good as finding the row.
      await dataSource
        .query(`INSERT INTO ${table} (id, holder, beat) VALUES (1, '', 0)`)
        .catch((error: unknown) => (isTaken(error) ? undefined : Promise.reject(error as Error)));
      continue;
    }
    if (row.beat !== seenBeat) {
      seenBeat = row.beat;
      seenAt = performance.now();
    }
    if (row.holder === '' || performance.now() - seenAt > deadAfterMs) {
      await dataSource
        .query(`UPDATE ${table} SET holder = ?, beat = beat + 1 WHERE id = 1 AND holder = ? AND beat = ?`, [
          holder,
          row.holder,
          row.beat,
        ])
        .catch((error: unknown) => (isDeadlock(error) ? undefined : Promise.reject(error as Error)));
      if ((await readRow(dataSource))?.holder === holder) return;
    }
    await sleep(pollEveryMs * (0.5 + Math.random()));
  }
  throw new Error(`another node has been migrating the database for over ${maxWaitMs / 1000} s`);
}

async function readRow(dataSource: DataSource): Promise<{ holder: string; beat: number } | null> {
  const rows: { holder: string; beat: number | string }[] = await dataSource.query(
    `SELECT holder, beat FROM ${table} WHERE id = 1`,
  );
  return rows[0] === undefined ? null : { holder: rows[0].holder, beat: Number(rows[0].beat) };
}

function isTaken(error: unknown): boolean {
  const { code, errno } = error as { code?: string; errno?: number };
  return code === 'SQLITE_CONSTRAINT_PRIMARYKEY' || errno === 1062 || isDeadlock(error);
}

function isDeadlock(error: unknown): boolean {
  return [1213, 1205, 1020].includes((error as { errno?: number }).errno ?? 0);
}
