// The cost of a page of get_user_list in an app of 1,000,000 users, by position. Run: node bench/qiscus-list.mjs
// [--engine sqlite|mariadb] [--users N] [--entry dist/main.js]. It starts what it needs and stops it at the end.
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import Sqlite from 'better-sqlite3';
import { createConnection } from 'mysql2/promise';
import { freePort, startMariaDb } from '../scripts/test-servers.mjs';

const { values: options } = parseArgs({
  options: {
    engine: { type: 'string', default: 'sqlite' },
    users: { type: 'string', default: '1000000' },
    entry: { type: 'string', default: 'dist/main.js' },
  },
});
const users = Number(options.users);
const rowsPerInsert = 5_000;
const callsPerCase = 200;
const limit = 20;
const columns = 'app_id, username, uuid, id, nickname, activated, created_at, modified_at, password_hash, token_epoch';
const columnCount = columns.split(', ').length;
// Ids like those of the service: milliseconds since 2020 times 4096.
const firstCreatedAt = Date.UTC(2024, 0, 1);
const idOf = (/** @type {number} */ createdAt) => (createdAt - Date.UTC(2020, 0, 1)) * 4096;

/** @param {string} appId @param {number} index */
function userRow(appId, index) {
  const createdAt = firstCreatedAt + index * 1000;
  const hex = createHash('sha256').update(String(index)).digest('hex');
  const uuid = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-1${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
  // Names are in no particular order, as in practice.
  const username = `${hex.slice(32, 44)}@example.com`;
  return [appId, username, uuid, idOf(createdAt), `User ${index}`, 1, createdAt, createdAt, null, 0];
}

const folder = await mkdtemp(join(tmpdir(), 'rollcall-bench-'));
const maria = options.engine === 'mariadb' ? await startMariaDb() : null;
const sqlitePath = join(folder, 'rollcall.sqlite');
const databaseName = `rollcall_bench_${randomBytes(4).toString('hex')}`;
const [appId, secret] = [randomBytes(16).toString('hex'), randomBytes(16).toString('hex')];
const port = await freePort();
const url = `http://127.0.0.1:${port}`;
/** @type {import('node:child_process').ChildProcess | null} */
let service = null;

async function connectMaria() {
  return createConnection(`${maria?.url}/${databaseName}`);
}

async function start() {
  const child = spawn(process.execPath, [options.entry], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      ...process.env,
      PORT: String(port),
      LOG_LEVEL: 'error',
      SHUTDOWN_DRAIN_MS: '0',
      DATABASE_URL: maria === null ? `sqlite:${sqlitePath}` : `${maria.url}/${databaseName}`,
      BOOTSTRAP_APPS: `bench/bench:${appId}:${secret}`,
    },
  });
  service = child;
  for (let attempt = 0; attempt < 300; attempt += 1) {
    if (child.exitCode !== null) throw new Error('the service did not start');
    const answer = await fetch(`${url}/health/ready`).catch(() => null);
    if (answer?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('the service did not become ready');
}

async function fill() {
  const startedAt = performance.now();
  if (maria === null) {
    const database = new Sqlite(sqlitePath);
    const { id } = /** @type {{ id: string }} */ (database.prepare('SELECT id FROM apps').get());
    const insert = database.prepare(
      `INSERT INTO users (${columns}) VALUES (${Array(columnCount).fill('?').join(', ')})`,
    );
    database.transaction(() => {
      for (let index = 0; index < users; index += 1) insert.run(...userRow(id, index));
      database.prepare('INSERT INTO user_counts (app_id, slot, users) VALUES (?, 0, ?)').run(id, users);
    })();
    database.close();
  } else {
    const database = await connectMaria();
    const [apps] = await database.query('SELECT id FROM apps');
    const { id } = /** @type {{ id: string }[]} */ (apps)[0] ?? { id: '' };
    for (let index = 0; index < users; index += rowsPerInsert) {
      const rows = Array.from({ length: Math.min(rowsPerInsert, users - index) }, (_, row) => userRow(id, index + row));
      await database.query(`INSERT INTO users (${columns}) VALUES ?`, [rows]);
    }
    await database.query('INSERT INTO user_counts (app_id, slot, users) VALUES (?, 0, ?)', [id, users]);
    await database.query('ANALYZE TABLE users');
    await database.end();
  }
  console.log(`${users} users in ${((performance.now() - startedAt) / 1000).toFixed(0)} s`);
}

/** @param {string} query @param {number} page */
async function call(query, page) {
  const startedAt = performance.now();
  const response = await fetch(`${url}/api/v2.1/rest/get_user_list?limit=${limit}&page=${page}${query}`, {
    headers: { 'QISCUS-SDK-APP-ID': appId, 'QISCUS-SDK-SECRET': secret },
  });
  const text = await response.text();
  return { ms: performance.now() - startedAt, status: response.status, text };
}

/** @param {number[]} times */
function median(times) {
  return times.sort((one, other) => one - other)[Math.floor(times.length / 2)] ?? 0;
}

/**
 * Alternates with page 1, so that other load on the machine affects both.
 * @param {string} name @param {() => number} pageOf @param {string} [query] @param {number} [calls]
 */
async function measure(name, pageOf, query = '', calls = callsPerCase) {
  /** @type {number[]} */
  const first = [];
  /** @type {number[]} */
  const times = [];
  let status = 0;
  for (let index = 0; index < calls; index += 1) {
    first.push((await call('', 1)).ms);
    const answer = await call(query, pageOf());
    times.push(answer.ms);
    status = answer.status;
  }
  const [one, other] = [median(first), median(times)];
  const figures = `${other.toFixed(2).padStart(9)} ms  page 1 ${one.toFixed(2).padStart(7)} ms`;
  console.log(`${name.padEnd(38)} ${status} ${figures}  ${(other / one).toFixed(2).padStart(7)} times`);
}

try {
  if (maria !== null) {
    const server = await createConnection(maria.url);
    await server.query(`CREATE DATABASE ${databaseName}`);
    await server.end();
  }
  await start();
  await fill();
  const last = Math.floor(users / limit);
  const anyPage = () => 1 + Math.floor(Math.random() * last);
  await measure('(warm up)', () => 1);
  await measure('the middle page, no cached position', () => Math.floor(last / 2), '', 1);
  await measure(`page ${last}`, () => last);
  await measure(`page ${Math.floor(last / 2)}`, () => Math.floor(last / 2));
  await measure('any page', anyPage);
  await measure('email asc, page 1', () => 1, '&order_query=email+asc');
  await measure('email asc, any page', anyPage, '&order_query=email+asc');
  await measure('username asc, page 1 (no index)', () => 1, '&order_query=username+asc', 5);
  await measure('show_all', () => 1, '&show_all=1', 3);
} finally {
  if (service !== null && service.exitCode === null) {
    const exited = once(service, 'exit');
    service.kill('SIGTERM');
    await exited;
  }
  await maria?.stop();
  await rm(folder, { recursive: true, force: true });
}
