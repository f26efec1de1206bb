import type { Command } from 'commander';
import { SystemClock } from '../clock/clock.js';
import { type Env, EnvError, loadEnv } from '../config/env.js';
import { examineDatabase } from '../database/examination.js';
import { examineRedis } from '../redis/examination.js';

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
    ...(await examineDatabase(env, new SystemClock()).catch((error: unknown) => [broken('database', error)])),
    ...(await examineRedis(env, new SystemClock()).catch((error: unknown) => [broken('redis', error)])),
  ];
}

function broken(what: string, error: unknown): Finding {
  return { what, verdict: 'broken', text: (error as Error).message || String(error) };
}
