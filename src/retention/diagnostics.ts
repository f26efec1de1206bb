import type { DataSource } from 'typeorm';
import type { Clock } from '../clock/clock.js';
import type { DatabaseFinding } from '../database/diagnostics.js';
import { maxLeapMs } from './retention-clock.js';

const hourMs = 3_600_000;

/** Whether the clock agrees with the time when this database was last in use; nothing if it never was. */
export async function examineRetentionClock(dataSource: DataSource, clock: Clock): Promise<DatabaseFinding[]> {
  const seen = dataSource.query<{ seen_at: number; leapt_to: number }[]>(
    'SELECT seen_at, leapt_to FROM retention_clock WHERE id = 1',
  );
  const [row] = await seen.catch(() => []);
  if (row === undefined) return [];
  const aheadMs = clock.now() - Number(row.seen_at);
  if (aheadMs > maxLeapMs)
    return [warnOfClock(`is ${Math.round(aheadMs / hourMs)} hours ahead of when this database was last in use`)];
  if (-aheadMs > hourMs)
    return [warnOfClock(`is ${Math.round(-aheadMs / hourMs)} hours behind the last time that this database was told`)];
  const leaptTo = Number(row.leapt_to);
  if (leaptTo > 0)
    return [
      warnOfClock(`leapt to ${new Date(leaptTo).toISOString()}: what is older goes when its time has passed since`),
    ];
  return [{ what: 'clock', verdict: 'ok', text: 'agrees with when this database was last in use' }];
}

function warnOfClock(text: string): DatabaseFinding {
  return { what: 'clock', verdict: 'warning', text };
}
