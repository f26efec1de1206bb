import { readdirSync, readFileSync } from 'node:fs';
import { createDatabase, type TestDatabase } from '../support/test-database.js';
import { scansOf, unusedExceptions } from './allowed-scans.js';
import { explainEverything } from './recording.js';
import {
  type ExplainedStatement,
  headOf,
  readSnapshots,
  snapshotsOf,
  withoutPlans,
  writeSnapshots,
} from './snapshots.js';

describe.each(['sqlite', 'mariadb'] as const)('every statement that the service sends, on %s', (engine) => {
  let database: TestDatabase;
  let version: string;
  let statements: readonly ExplainedStatement[];

  beforeAll(async () => {
    database = await createDatabase(engine);
    ({ version, statements } = await explainEverything(database));
  }, 120_000);
  afterAll(() => database.drop());

  it('is in the snapshot of its noun, with its current plan', () => {
    const snapshots = snapshotsOf(engine, version, statements);
    if (process.env.UPDATE_SQL === '1') writeSnapshots(engine, snapshots);
    const written = readSnapshots(engine);
    // Another server version may choose other plans, but the rules still apply.
    const comparable = [...written.values()].every((content) => content.includes(headOf(version)));
    const shown = (all: ReadonlyMap<string, string>) =>
      Object.fromEntries([...all].map(([name, content]) => [name, comparable ? content : withoutPlans(content)]));
    expect(shown(snapshots)).toEqual(shown(written));
  });

  it('reads no more rows of an app than it needs', () => {
    expect(statements.flatMap((statement) => scansOf(engine, statement))).toEqual([]);
    expect(unusedExceptions(statements)).toEqual([]);
  });

  it('was sent: every file with SQL has sent some', () => {
    const senders = new Set(statements.flatMap((statement) => statement.senders));
    expect(filesWithSql().filter((file) => !senders.has(file))).toEqual([]);
  });
});

/** The noun files with statements, except those of `doctor`, which bypasses the service. */
function filesWithSql(): string[] {
  const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).map((file) => `src/${file}`);
  return files.filter(
    (file) =>
      /^src\/(?!database\/|cli\/).*(?<!spec|diagnostics)\.ts$/.test(file) &&
      /\b(SELECT|DELETE FROM|UPDATE \w+ SET|INSERT INTO)\b|transaction\.(insert|insertNew|updateRows)\(/.test(
        readFileSync(file, 'utf8'),
      ),
  );
}
