import type { DataSource } from 'typeorm';
import type { Clock } from '../clock/clock.js';
import { trialWrite } from './database-health.js';
import type { Database } from './database.js';

export interface DatabaseFinding {
  readonly what: string;
  readonly verdict: 'ok' | 'warning' | 'broken';
  readonly text: string;
}

const maxClockDifferenceMs = 5_000;
const noSuchTable = 1146;

/**
 * What an operator should know about the database: whether it answers, and whether acknowledged writes survive a power
 * cut.
 */
export function examineDatabase(dataSource: DataSource, clock: Clock): Promise<DatabaseFinding[]> {
  return dataSource.options.type === 'mysql' ? examineMysql(dataSource, clock) : examineSqlite(dataSource);
}

async function examineSqlite(dataSource: DataSource): Promise<DatabaseFinding[]> {
  const [mode] = await dataSource.query<{ journal_mode: string }[]>('PRAGMA journal_mode');
  const [synchronous] = await dataSource.query<{ synchronous: number }[]>('PRAGMA synchronous');
  const [check] = await dataSource.query<{ quick_check: string }[]>('PRAGMA quick_check');
  const durable = synchronous?.synchronous === 2;
  return [
    check?.quick_check === 'ok'
      ? { what: 'database', verdict: 'ok', text: `SQLite, journal ${mode?.journal_mode}, file intact` }
      : { what: 'database', verdict: 'broken', text: `the SQLite file is damaged: ${check?.quick_check}` },
    durable
      ? { what: 'durability', verdict: 'ok', text: 'synchronous=FULL' }
      : { what: 'durability', verdict: 'broken', text: 'synchronous is not FULL: a power cut loses writes' },
    await tryToWrite(dataSource, 'sqlite'),
  ];
}

/** Writes as the service does: a server, a file or its disk may answer every query and still refuse that. */
const writeAsTheService = {
  mysql: [
    'SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED',
    'START TRANSACTION',
    trialWrite,
    // The statement fails.
    'ROLLBACK',
  ],
  // A full disk shows only on commit.
  sqlite: [trialWrite],
};

async function tryToWrite(dataSource: DataSource, engine: keyof typeof writeAsTheService): Promise<DatabaseFinding> {
  const runner = dataSource.createQueryRunner();
  try {
    for (const statement of writeAsTheService[engine]) await runner.query(statement);
    return { what: 'database', verdict: 'ok', text: 'accepts writes' };
  } catch (error) {
    const { errno, message } = error as { errno?: number; message: string };
    return errno === noSuchTable || message.includes('no such table')
      ? { what: 'database', verdict: 'warning', text: 'has no tables yet: the first start creates them' }
      : { what: 'database', verdict: 'broken', text: `refuses writes: ${message}` };
  } finally {
    await runner.release();
  }
}

/** Server settings under which a power cut loses acknowledged writes, one sentence each. */
export async function unsafeSettings(database: Database): Promise<string[]> {
  if (database.engine !== 'mysql') return [];
  const variables = await readVariables((sql) => database.read<Variable>(sql));
  return durabilityOf(variables)
    .filter(({ verdict }) => verdict !== 'ok')
    .map(({ text }) => text);
}

async function examineMysql(dataSource: DataSource, clock: Clock): Promise<DatabaseFinding[]> {
  const variables = await readVariables((sql) => dataSource.query<Variable[]>(sql));
  const [time] = await dataSource.query<{ now: string }[]>('SELECT UNIX_TIMESTAMP(NOW(3)) AS now');
  const difference = Math.abs(Number(time?.now ?? 0) * 1000 - clock.now());
  return [
    { what: 'database', verdict: 'ok', text: `answers, version ${variables.get('version')}` },
    ...durabilityOf(variables),
    await tryToWrite(dataSource, 'mysql'),
    difference > maxClockDifferenceMs
      ? { what: 'clock', verdict: 'warning', text: `differs from the database by ${Math.round(difference)} ms` }
      : { what: 'clock', verdict: 'ok', text: 'agrees with the database' },
  ];
}

interface Variable {
  readonly Variable_name: string;
  readonly Value: string;
}

async function readVariables(read: (sql: string) => Promise<Variable[]>): Promise<ReadonlyMap<string, string>> {
  const rows = await read(
    "SHOW VARIABLES WHERE Variable_name IN ('version', 'innodb_flush_log_at_trx_commit', 'log_bin', 'sync_binlog')",
  );
  return new Map(rows.map((row) => [row.Variable_name, row.Value]));
}

function durabilityOf(variables: ReadonlyMap<string, string>): DatabaseFinding[] {
  // Without a binary log there is nothing to sync.
  const needed = ['innodb_flush_log_at_trx_commit', ...(variables.get('log_bin') === 'ON' ? ['sync_binlog'] : [])];
  return needed.map((variable) =>
    variables.get(variable) === '1'
      ? { what: 'durability', verdict: 'ok', text: `${variable}=1` }
      : {
          what: 'durability',
          verdict: 'warning',
          text: `${variable} is not 1: a power cut may lose acknowledged writes`,
        },
  );
}
