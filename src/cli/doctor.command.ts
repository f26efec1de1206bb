import { Logger } from '@nestjs/common';
import type { Command } from 'commander';
import type { DataSource } from 'typeorm';
import type { AppRow } from '../apps/app.entity.js';
import { Seal } from '../apps/seal.js';
import { SystemClock } from '../clock/clock.js';
import { type Env, EnvError, loadEnv } from '../config/env.js';
import { dataSourceOptions } from '../data-source.js';
import { connectDatabase } from '../database/connect-database.js';
import { examineDatabase } from '../database/diagnostics.js';
import { missingSqliteFile } from '../database/sqlite-file.js';
import { examineRedis } from '../redis/diagnostics.js';
import { examineRetentionClock } from '../retention/diagnostics.js';

interface Finding {
  readonly what: string;
  readonly verdict: 'ok' | 'warning' | 'broken';
  readonly text: string;
}

export function addDoctorCommand(program: Command): void {
  program
    .command('doctor')
    .description('check settings, database, durability, Redis and clock; exit 1 if something is broken')
    .action(async () => {
      const findings = await examine();
      for (const { what, verdict, text } of findings) console.log(`${verdict.padEnd(8)} ${what.padEnd(10)} ${text}`);
      if (findings.some(({ verdict }) => verdict === 'broken')) process.exitCode = 1;
    });
}

async function examine(): Promise<Finding[]> {
  let env: Env;
  try {
    env = loadEnv();
  } catch (error) {
    if (!(error instanceof EnvError)) throw error;
    return error.problems.map((text) => ({ what: 'settings', verdict: 'broken', text }));
  }
  return [
    { what: 'settings', verdict: 'ok', text: 'all are valid' },
    ...(await examineStored(env).catch((error: unknown) => [broken('database', error)])),
    ...(await examineRedis(env, new SystemClock()).catch((error: unknown) => [broken('redis', error)])),
  ];
}

/** Uses a single connection, which changes nothing. */
async function examineStored(env: Env): Promise<Finding[]> {
  const missing = missingSqliteFile(env.databaseUrl);
  if (missing !== null) return [{ what: 'database', verdict: 'broken', text: missing }];
  const clock = new SystemClock();
  const dataSource = await connectDatabase(dataSourceOptions(env), new Logger('Database'), 1);
  try {
    return [
      ...(await examineDatabase(dataSource, clock)),
      ...(await examineRetentionClock(dataSource, clock)),
      await examineSeals(env, dataSource).catch((error: unknown) => broken('secrets', error)),
    ];
  } finally {
    await dataSource.destroy();
  }
}

/** Before the first start there is no table, and so nothing to seal. */
async function examineSeals(env: Env, dataSource: DataSource): Promise<Finding> {
  const seal = Seal.of(env);
  const rows = await dataSource.query<AppRow[]>('SELECT * FROM apps').catch(() => []);
  // A secret that cannot be opened is reported, as it would be at a start.
  rows.forEach((row) => seal.openAll(row));
  const stale = rows.filter((row) => !seal.isCurrent(row)).length;
  if (!seal.seals)
    return {
      what: 'secrets',
      verdict: 'warning',
      text: 'SEALING_KEY is not set: a copy of the database reveals the certificate of every app',
    };
  return stale === 0
    ? { what: 'secrets', verdict: 'ok', text: `those of ${rows.length} apps are sealed` }
    : {
        what: 'secrets',
        verdict: 'warning',
        text: `those of ${stale} apps are not sealed with the first key: run reseal`,
      };
}

function broken(what: string, error: unknown): Finding {
  const text = error instanceof EnvError ? error.problems.join('; ') : (error as Error).message || String(error);
  return { what, verdict: 'broken', text };
}
