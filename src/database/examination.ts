import { DataSource } from 'typeorm';
import type { Clock } from '../clock/clock.js';
import type { Env } from '../config/env.js';
import { dataSourceOptions } from './data-source-options.js';

export interface DatabaseFinding {
  readonly what: string;
  readonly verdict: 'ok' | 'warning' | 'broken';
  readonly text: string;
}

const clockDifferenceMostMs = 5_000;

/** What an operator should know of the database: does it answer, and is what it acknowledges safe from a power cut? */
export async function examineDatabase(env: Env, clock: Clock): Promise<DatabaseFinding[]> {
  const dataSource = new DataSource(dataSourceOptions(env));
  await dataSource.initialize();
  try {
    return dataSource.options.type === 'mysql'
      ? await examineMysql(dataSource, clock)
      : await examineSqlite(dataSource);
  } finally {
    await dataSource.destroy();
  }
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
  ];
}

async function examineMysql(dataSource: DataSource, clock: Clock): Promise<DatabaseFinding[]> {
  const variables = new Map(
    (
      await dataSource.query<{ Variable_name: string; Value: string }[]>(
        "SHOW VARIABLES WHERE Variable_name IN ('version', 'innodb_flush_log_at_trx_commit', 'log_bin', 'sync_binlog', 'read_only')",
      )
    ).map((row) => [row.Variable_name, row.Value]),
  );
  const [time] = await dataSource.query<{ now: string }[]>('SELECT UNIX_TIMESTAMP(NOW(3)) AS now');
  const difference = Math.abs(Number(time?.now ?? 0) * 1000 - clock.now());
  const findings: DatabaseFinding[] = [
    { what: 'database', verdict: 'ok', text: `answers, version ${variables.get('version')}` },
    verdict(
      'durability',
      variables.get('innodb_flush_log_at_trx_commit') === '1',
      'innodb_flush_log_at_trx_commit',
      '1',
    ),
    variables.get('read_only') === 'ON'
      ? { what: 'database', verdict: 'broken', text: 'read_only is ON: nothing can be written' }
      : { what: 'database', verdict: 'ok', text: 'takes writes' },
    difference > clockDifferenceMostMs
      ? { what: 'clock', verdict: 'warning', text: `differs from the database by ${Math.round(difference)} ms` }
      : { what: 'clock', verdict: 'ok', text: 'agrees with the database' },
  ];
  // Without a binary log there is nothing to sync.
  if (variables.get('log_bin') === 'ON')
    findings.push(verdict('durability', variables.get('sync_binlog') === '1', 'sync_binlog', '1'));
  return findings;
}

function verdict(what: string, good: boolean, variable: string, right: string): DatabaseFinding {
  return good
    ? { what, verdict: 'ok', text: `${variable}=${right}` }
    : { what, verdict: 'warning', text: `${variable} is not ${right}: a power cut may lose acknowledged writes` };
}
