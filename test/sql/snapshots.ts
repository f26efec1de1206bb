import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export type SqlEngine = 'sqlite' | 'mariadb';

/** A statement with its lists shortened, its senders, and its plan. */
export interface ExplainedStatement {
  readonly text: string;
  readonly senders: readonly string[];
  readonly plan: readonly string[];
}

/** `<noun>.<engine>.sql`, beside this file: the statements that the noun sends. */
const folder = join(process.cwd(), 'test/sql');

/** The header of a snapshot: plans of another version may differ. */
export function headOf(version: string): string {
  return `-- Plans of ${version}. Written by UPDATE_SQL=1 npm test -- --selectProjects sql: a change is reviewed as code is.\n`;
}

/** The statements alone. */
export function withoutPlans(content: string): string {
  return content.replace(/^-- (?: |Plans of ).*\n/gm, '');
}

/** The content of each snapshot of an engine, by file name. */
export function readSnapshots(engine: SqlEngine): Map<string, string> {
  const names = readdirSync(folder).filter((name) => name.endsWith(`.${engine}.sql`));
  return new Map(names.map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
}

/** The expected content of each snapshot of an engine. A noun is a folder of `src`. */
export function snapshotsOf(
  engine: SqlEngine,
  version: string,
  statements: readonly ExplainedStatement[],
): Map<string, string> {
  const sorted = statements.toSorted((one, other) => (orderOf(one) < orderOf(other) ? -1 : 1));
  const names = new Set(sorted.map((statement) => nameOf(engine, statement)));
  return new Map(
    [...names]
      .sort()
      .map((name) => [
        name,
        [headOf(version), ...sorted.filter((statement) => nameOf(engine, statement) === name).map(entryOf)].join('\n'),
      ]),
  );
}

export function writeSnapshots(engine: SqlEngine, snapshots: ReadonlyMap<string, string>): void {
  for (const name of readSnapshots(engine).keys()) if (!snapshots.has(name)) rmSync(join(folder, name));
  for (const [name, content] of snapshots) writeFileSync(join(folder, name), content);
}

/** The texts of all statements in any snapshot. */
export function textsOfSnapshots(): ReadonlySet<string> {
  if (!existsSync(folder)) return new Set();
  const entries = (['sqlite', 'mariadb'] as const).flatMap((engine) =>
    [...readSnapshots(engine).values()].flatMap((content) => content.split('\n\n')),
  );
  return new Set(
    entries.map((entry) =>
      entry
        .replace(/^--.*$/gm, '')
        .replace(/\s+/g, ' ')
        .replace(/;\s*$/, '')
        .trim(),
    ),
  );
}

function nameOf(engine: SqlEngine, { senders }: ExplainedStatement): string {
  return `${(senders[0] as string).split('/')[1]}.${engine}.sql`;
}

/** By sender; for each sender, reads before writes, with similar ones side by side. */
function orderOf({ senders, text }: ExplainedStatement): string {
  return `${senders.join()} ${text.startsWith('SELECT') ? 0 : 1} ${text}`;
}

function entryOf({ senders, text, plan }: ExplainedStatement): string {
  const lines = [...senders.map((sender) => `-- ${sender}`), `${brokenIntoLines(text)};`];
  return [...lines, ...plan.map((line) => `--   ${line}`), ''].join('\n');
}

function brokenIntoLines(text: string): string {
  return text.replace(
    / (?=(?:(?<!DELETE )FROM|CROSS JOIN|(?<!CROSS )JOIN|WHERE|ORDER BY|GROUP BY|SET|VALUES (?=\()|UNION|ON CONFLICT|ON DUPLICATE) ?)/g,
    '\n',
  );
}
