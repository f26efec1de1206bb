import { appendFileSync } from 'node:fs';
import { textsOfSnapshots } from '../sql/snapshots.js';
import { isControl, textOf } from '../sql/statement-text.js';
import { StatementLog } from './statement-log.js';

const file = process.env.UNCOVERED_SQL;
const log = file === undefined ? null : new StatementLog();

/** With UNCOVERED_SQL=<file>: appends the statements that nouns have sent since and that are in no snapshot. */
export function recordUncoveredSql(): void {
  if (file === undefined || log === null) return;
  const covered = textsOfSnapshots();
  const lines = log.statements.splice(0).flatMap(({ sql, sender }) => {
    const text = textOf(sql);
    const isOfNoun = sender !== null && !/spec\.ts$/.test(sender) && !isControl(text);
    return isOfNoun && !covered.has(text) ? [`${sender}: ${text}\n`] : [];
  });
  appendFileSync(file, [...new Set(lines)].join(''));
}
