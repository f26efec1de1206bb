import { createRequire } from 'node:module';
import type BetterSqlite3 from 'better-sqlite3';
import { createConnection, type RowDataPacket } from 'mysql2/promise';
import { Database } from '../../src/database/database.js';
import { sendEveryStatement } from '../support/every-statement.js';
import { FixedClock } from '../support/fixed-clock.js';
import { startApp } from '../support/start-app.js';
import { StatementLog } from '../support/statement-log.js';
import { tablesOf } from '../support/tenant-rows.js';
import type { TestDatabase } from '../support/test-database.js';
import { fillTables } from './filling.js';
import { MariadbPlans } from './mariadb-plans.js';
import type { ExplainedStatement } from './snapshots.js';
import { SqlitePlans } from './sqlite-plans.js';
import { isControl, textOf } from './statement-text.js';

/** Tables that do not grow with the data of apps. */
const boundedTables = /^(migrations|migration_lock|id_nodes|retention_clock)$/;

interface SentStatement {
  readonly sql: string;
  readonly values: readonly unknown[];
  readonly text: string;
  readonly senders: Set<string>;
}

interface Explanation {
  /** Of the engine. */
  readonly version: string;
  readonly statements: readonly ExplainedStatement[];
}

interface Plans {
  readonly version: string;
  /** In the order of the statements. */
  readonly plans: readonly (readonly string[])[];
}

interface Recording {
  readonly sent: readonly SentStatement[];
  readonly tables: readonly string[];
}

/** What a start of the service and `sendEveryStatement` send to this database, with the plan of each statement. */
export async function explainEverything(database: TestDatabase): Promise<Explanation> {
  const recording = await record(database);
  const { version, plans } = database.url.startsWith('sqlite:')
    ? explainOnSqlite(database, recording)
    : await explainOnMariadb(database, recording);
  const statements = recording.sent.map(({ text, senders }, index) => ({
    ...{ text, senders: [...senders].sort() },
    plan: plans[index] as readonly string[],
  }));
  return { version, statements };
}

async function record(database: TestDatabase): Promise<Recording> {
  const clock = new FixedClock(Date.now());
  const log = new StatementLog();
  const running = await startApp({ database, clock });
  await sendEveryStatement(running, clock);
  const tables = (await tablesOf(running.nest.get(Database))).map(({ name }) => name);
  await running.stop();
  log.stop();
  const sent = new Map<string, SentStatement>();
  for (const { sql, values, sender } of log.statements) {
    // Statements that control transactions or create the schema come from the database layer itself.
    if (sender === null || isControl(sql)) continue;
    const text = textOf(sql);
    // Two nouns may send the same statement.
    const key = `${sender.split('/')[1]} ${text}`;
    const known = sent.get(key) ?? { sql, values, text, senders: new Set<string>() };
    known.senders.add(sender);
    sent.set(key, known);
  }
  return { sent: [...sent.values()], tables };
}

function explainOnSqlite({ url }: TestDatabase, { sent }: Recording): Plans {
  const Sqlite = createRequire(import.meta.url)('better-sqlite3') as typeof BetterSqlite3;
  const connection = new Sqlite(url.slice('sqlite:'.length), { readonly: true });
  const plans = new SqlitePlans(connection);
  const explained = sent.map(({ sql }) => plans.of(sql));
  const { version } = connection.prepare('SELECT sqlite_version() AS version').get() as { version: string };
  connection.close();
  return { version: `SQLite ${version}`, plans: explained };
}

async function explainOnMariadb({ url }: TestDatabase, { sent, tables }: Recording): Promise<Plans> {
  const connection = await createConnection({ uri: url, supportBigNumbers: true });
  try {
    await fillTables(
      connection,
      tables.filter((table) => !boundedTables.test(table)),
    );
    const plans = new MariadbPlans(connection);
    const explained: string[][] = [];
    for (const { sql, values } of sent) explained.push(await plans.of(sql, values));
    const [[row]] = await connection.query<RowDataPacket[]>('SELECT VERSION() AS version');
    const [version] = /^\d+\.\d+/.exec((row as { version: string }).version) ?? [];
    return { version: `MariaDB ${version}`, plans: explained };
  } finally {
    await connection.end();
  }
}
