import { randomBytes, randomInt } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createConnection } from 'mysql2/promise';

export interface TestDatabase {
  readonly url: string;
  drop(): Promise<void>;
}

/** An empty database on the project's engine: its own file, or its own schema on the test server. */
export async function createDatabase(
  engine: 'sqlite' | 'mariadb' = globalThis.rollcallEngine,
  server = globalThis.rollcallGalera ? nextGaleraNode() : process.env.TEST_DATABASE_URL,
): Promise<TestDatabase> {
  if (engine === 'sqlite') {
    const folder = await mkdtemp(join(tmpdir(), 'rollcall-test-'));
    return {
      url: `sqlite:${join(folder, 'rollcall.sqlite')}`,
      drop: () => rm(folder, { recursive: true, force: true }),
    };
  }
  const url = new URL(server ?? neededUrl('TEST_DATABASE_URL'));
  const name = `rollcall_test_${randomBytes(8).toString('hex')}`;
  const onServer = async (sql: string): Promise<void> => {
    const connection = await createConnection(new URL('/', url).href);
    await connection.query(sql).finally(() => connection.end());
  };
  await onServer(`CREATE DATABASE ${name}`);
  url.pathname = name;
  return { url: url.href, drop: () => onServer(`DROP DATABASE IF EXISTS ${name}`) };
}

let galeraTurn = randomInt(3);

/** One cluster node after the other; each test file begins with a different one. */
function nextGaleraNode(): string {
  const urls = neededUrl('TEST_GALERA_URLS').split(',');
  return urls[(galeraTurn += 1) % urls.length] as string;
}

/** The same database; on Galera, through another node of the cluster. */
export function onAnotherNode(database: TestDatabase): TestDatabase {
  if (!globalThis.rollcallGalera) return database;
  const url = new URL(nextGaleraNode());
  url.pathname = new URL(database.url).pathname;
  return { ...database, url: url.href };
}

export function neededUrl(variable: string): string {
  const url = process.env[variable];
  if (url === undefined) throw new Error(`${variable} is not set: run the tests with npm test`);
  return url;
}

/** A disk busy with other suites stalls for seconds; durability is the subject of few tests. */
export const longDatabaseTimeouts = { DATABASE_STATEMENT_TIMEOUT_MS: '20000', DATABASE_ACQUIRE_TIMEOUT_MS: '20000' };
