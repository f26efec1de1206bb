// `npm run soak -- --minutes N`: the built service under a long mixed load, at about half of its capacity on this
// machine. Every minute the load pauses for a moment and the invariants are checked; the first violation ends the
// run.
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs, promisify } from 'node:util';
import { createConnection } from 'mysql2/promise';
import { onSignal } from '../../scripts/on-signal.mjs';
import { startMariaDb, startRedis } from '../../scripts/test-servers.mjs';
import { figuresOf } from '../support/service-figures.mjs';
import { Ledger } from './ledger.mjs';
import { NodeProcess } from './node-process.mjs';
import { SoakActor } from './soak-actor.mjs';
import { Tables } from './tables.mjs';

const usage = `npm run soak -- [options]
  --minutes N       how long (default 30)
  --engine NAME     sqlite or mariadb (default sqlite)
  --redis           with a Redis; more than one node needs it
  --nodes N         1 to 3 (default 1); more than one needs mariadb
  --actors N        how many do something at once (default 24)
  --rate N          acts a second, instead of half of what was reached in the first seconds`;

const { values: options } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    engine: { type: 'string', default: 'sqlite' },
    redis: { type: 'boolean', default: false },
    nodes: { type: 'string', default: '1' },
    actors: { type: 'string', default: '24' },
    rate: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
const minutes = Number(options.minutes);
const nodeCount = Number(options.nodes);
const wrongOptions =
  !(minutes > 0) ||
  !['sqlite', 'mariadb'].includes(options.engine) ||
  ![1, 2, 3].includes(nodeCount) ||
  (nodeCount > 1 && (options.engine !== 'mariadb' || !options.redis));
if (options.help || wrongOptions) {
  console.log(usage);
  process.exit(options.help ? 0 : 2);
}

const poolSize = 10;
const calibrationMs = 10_000;
/** The share of the time before memory counts: caches fill, and code is JIT-compiled. */
const warmUpShare = 0.3;
const settleWithinMs = 15_000;
/** At half of its capacity it refuses nobody, unless the machine is taken away for a moment. */
const maxSentAway = 0.001;
const startedAt = performance.now();
const elapsed = () => ((performance.now() - startedAt) / 60_000).toFixed(1);
const say = (/** @type {string} */ text) => process.stderr.write(`[${elapsed()} min] ${text}\n`);

/** @type {(() => Promise<unknown> | void)[]} */
const endings = [];
let interrupted = false;
onSignal(['SIGINT'], () => {
  if (interrupted) process.exit(130);
  interrupted = true;
  say('interrupted: one last check, then the summary');
});

const ledger = new Ledger();
/** @type {NodeProcess[]} */
const nodes = [];
/** @type {SoakActor[]} */
const actors = [];
let paused = false;
let stopped = false;
let ratePerSecond = Number.POSITIVE_INFINITY;
/** When the next act is due, across all actors. */
let dueAt = 0;

/** @param {SoakActor} actor */
async function perform(actor) {
  while (!stopped && ledger.broken === null) {
    if (paused) return;
    const now = performance.now();
    // Acts missed during a pause are not made up for.
    dueAt = Math.max(dueAt, now - 1_000) + 1_000 / ratePerSecond;
    if (dueAt > now) await sleep(dueAt - now);
    await actor.act();
  }
}

/** @type {Promise<unknown>} */
let performing = Promise.resolve();
function resume() {
  paused = false;
  performing = Promise.all(actors.map(perform));
}
async function pause() {
  paused = true;
  await performing;
}

async function startServers() {
  const redis = options.redis ? await startRedis() : null;
  if (redis) endings.push(() => redis.stop());
  if (options.engine === 'sqlite') {
    const folder = await mkdtemp(join(tmpdir(), 'rollcall-soak-'));
    endings.push(() => rm(folder, { recursive: true, force: true }));
    return { DATABASE_URL: `sqlite:${join(folder, 'rollcall.sqlite')}`, REDIS_URL: redis?.url ?? '' };
  }
  const server = await startMariaDb();
  endings.push(() => server.stop());
  const connection = await createConnection(server.url);
  await connection.query('CREATE DATABASE soak');
  await connection.end();
  return { DATABASE_URL: `${server.url}/soak`, REDIS_URL: redis?.url ?? '' };
}

/** The online users according to one node. @param {string} url @param {string} path @param {string} token */
async function onlineAt(url, path, token) {
  /** @type {string[]} */
  const names = [];
  for (let cursor = ''; ;) {
    const response = await fetch(`${url}${path}/online?limit=100${cursor}`, {
      headers: { authorization: `Bearer ${token}` },
    });
    const body = /** @type {any} */ (await response.json());
    if (response.status !== 200) throw new Error(`GET online got ${response.status} ${JSON.stringify(body)}`);
    names.push(...body.data.map((/** @type {{ username: string }} */ { username }) => username));
    if (body.cursor === undefined) return names.sort();
    cursor = `&cursor=${body.cursor}`;
  }
}

/**
 * Repeats the check until it passes, as some effects follow a moment later. @param {() => Promise<string | null>}
 * findWrong
 */
async function settled(findWrong) {
  for (const until = performance.now() + settleWithinMs; ;) {
    const wrong = await findWrong();
    if (wrong === null || performance.now() > until) return wrong;
    await sleep(200);
  }
}

/** @param {Tables} tables @param {string} path @param {() => string} token */
async function findBroken(tables, path, token) {
  const open = [...ledger.users.values()].flatMap(({ name, session }) => (session === null ? [] : [name])).sort();
  const checks = [
    async () => nodes.map(({ broken }) => broken).find((one) => one !== null) ?? null,
    async () =>
      ledger.refusals > Math.max(10, maxSentAway * ledger.calls)
        ? `${ledger.refusals} of ${ledger.calls} calls were told to retry later`
        : null,
    async () => {
      for (const [index, { url }] of nodes.entries()) {
        const names = await onlineAt(url, path, token());
        if (names.join() !== open.join())
          return `node ${index + 1} reports ${names.length} users online, but ${open.length} sockets are open`;
      }
      return null;
    },
    // Checked first, as the ack of the last message may still be under way.
    () => tables.findWrongCounters(),
    () => tables.findWrong(ledger),
    () => tables.findHeld(),
    async () => {
      for (const { url } of nodes) {
        const waiting = (await figuresOf(url)).sum('rollcall_database_writes_waiting');
        if (waiting !== 0) return `${waiting} callers wait for the database although there is no load`;
      }
      return null;
    },
  ];
  for (const check of checks) {
    const wrong = await settled(check);
    if (wrong !== null) return wrong;
  }
  return null;
}

/**
 * @typedef {object} Row
 * @property {number} minute
 * @property {number} perSecond
 * @property {number} users
 * @property {number} sessions
 * @property {number} messages
 * @property {number} residentMegabytes of all nodes
 * @property {number} handles of all nodes
 * @property {number} loopP99Ms of the slowest node
 * @property {number} p99Ms of the slowest kind of call without a password
 * @property {string} slowest
 */

/** @param {number} acts @param {number} ms @returns {Promise<Row>} */
async function measure(acts, ms) {
  const figures = await Promise.all(nodes.map(({ url }) => figuresOf(url)));
  const p99 = [...ledger.takeP99()].filter(([kind]) => !/register|password/.test(kind));
  const [slowest, p99Ms] = p99.sort(([, one], [, other]) => other - one)[0] ?? ['', 0];
  return {
    minute: (performance.now() - startedAt) / 60_000,
    perSecond: acts / (ms / 1000),
    users: ledger.users.size,
    sessions: [...ledger.users.values()].filter(({ session }) => session !== null).length,
    messages: [...ledger.users.values()].reduce((sum, { messages }) => sum + messages.length, 0),
    residentMegabytes: figures.reduce((sum, { residentBytes }) => sum + residentBytes, 0) / 1024 / 1024,
    handles: figures.reduce((sum, { handles }) => sum + handles, 0),
    loopP99Ms: Math.max(...figures.map(({ loopDelayP99Ms }) => loopDelayP99Ms)),
    p99Ms,
    slowest,
  };
}

const columns = [
  'minute',
  'acts/s',
  'users',
  'online',
  'messages',
  'RSS MB',
  'handles',
  'loop p99',
  'call p99',
  'slowest',
];
/** @param {readonly (string | number)[]} cells */
const lineOf = (cells) => cells.map((cell) => String(cell).padStart(9)).join(' ');
/** @param {Row} row */
const print = (row) =>
  console.log(
    lineOf([
      row.minute.toFixed(1),
      row.perSecond.toFixed(),
      row.users,
      row.sessions,
      row.messages,
      row.residentMegabytes.toFixed(),
      row.handles,
      `${row.loopP99Ms.toFixed()} ms`,
      `${row.p99Ms.toFixed()} ms`,
      row.slowest,
    ]),
  );

/**
 * By least squares. @param {Row[]} rows @param {(row: Row) => number} read @returns {number} percent of the mean per
 * hour
 */
function slope(rows, read) {
  const mean = (/** @type {number[]} */ list) => list.reduce((sum, value) => sum + value, 0) / list.length;
  const x = rows.map(({ minute }) => minute / 60);
  const y = rows.map(read);
  const [meanX, meanY] = [mean(x), mean(y)];
  const over = x.reduce((sum, value, index) => sum + (value - meanX) * ((y[index] ?? 0) - meanY), 0);
  const under = x.reduce((sum, value) => sum + (value - meanX) ** 2, 0);
  return under === 0 || meanY === 0 ? 0 : ((over / under) * 100) / meanY;
}

/** @param {Row[]} rows */
function summarise(rows) {
  const warm = rows.filter(({ minute }) => minute >= minutes * warmUpShare);
  const [first, last] = [warm[0], warm.at(-1)];
  console.log(
    `\n${options.engine}${options.redis ? ' + Redis' : ''}, ${nodeCount} node(s), ${elapsed()} minutes: ` +
      `${ledger.calls} calls, ${ledger.refusals} of them told to retry, ${rows.length} checks, ${ledger.broken === null ? 'nothing broken' : 'BROKEN'}`,
  );
  if (first === undefined || last === undefined || warm.length < 3) {
    console.log('Too few checks after the warm-up for slopes.');
    return;
  }
  const line = (/** @type {string} */ what, /** @type {(row: Row) => number} */ read) =>
    console.log(
      `${what.padEnd(24)} ${read(first).toFixed(1)} → ${read(last).toFixed(1)}, ${slope(warm, read).toFixed(1)} %/h`,
    );
  console.log(`After the warm-up (${warm.length} checks):`);
  line('RSS, MB', (row) => row.residentMegabytes);
  line('handles - sockets', (row) => row.handles - row.sessions);
  line('event loop p99, ms', (row) => row.loopP99Ms);
  line('slowest call p99, ms', (row) => row.p99Ms);
}

/** @type {Row[]} */
const rows = [];
try {
  const servers = await startServers();
  const [appId, certificate] = [randomBytes(16).toString('hex'), randomBytes(16).toString('hex')];
  const env = {
    ...servers,
    DATABASE_POOL_SIZE: String(poolSize),
    BOOTSTRAP_APPS: `soak/soak:${appId}:${certificate}`,
    GATEWAY_MAX_PENDING_PER_ADDRESS: '10000',
  };
  for (let index = 0; index < nodeCount; index += 1) {
    const node = await NodeProcess.start(env);
    nodes.push(node);
    endings.unshift(() => node.stop());
  }
  const settings = ['rate_profile=off', 'offline_messages_per_user=100000'];
  await promisify(execFile)(process.execPath, ['dist/cli.js', 'app', 'set', 'soak/soak', ...settings], {
    env: { PATH: process.env.PATH, ...env, REDIS_URL: '' },
  });
  // A node caches an app for a second.
  await sleep(1_100);
  const { ChatTokenBuilder } = createRequire(import.meta.url)('agora-token');
  /** @type {(username: string | null) => string} */
  const token = (username) =>
    username === null
      ? ChatTokenBuilder.buildAppToken(appId, certificate, 3600)
      : ChatTokenBuilder.buildUserToken(appId, certificate, username, 3600);
  let turn = 0;
  const path = '/soak/soak';
  const nodeUrl = () => /** @type {NodeProcess} */ (nodes[(turn += 1) % nodes.length]).url;
  const stage = { ...{ ledger, nodeUrl, path, appId, certificate, token } };
  const tables = await Tables.open(servers.DATABASE_URL, poolSize * nodeCount);
  endings.unshift(() => tables.close());
  for (let index = 0; index < Number(options.actors); index += 1) actors.push(new SoakActor(`actor${index}`, stage));
  endings.unshift(async () => {
    stopped = true;
    await performing;
    for (const { session } of ledger.users.values()) await session?.leave(true);
  });
  say(`${nodeCount} node(s) on ${options.engine}${options.redis ? ' with Redis' : ''}; each actor registers its users`);
  await Promise.all(actors.map((actor) => actor.register(10)));
  if (options.rate === undefined) {
    say(`${calibrationMs / 1000} s at full speed`);
    const before = ledger.calls;
    resume();
    await sleep(calibrationMs);
    await pause();
    ratePerSecond = Math.max(5, (ledger.calls - before) / (calibrationMs / 1000) / 2);
  } else ratePerSecond = Number(options.rate);
  say(`${ratePerSecond.toFixed()} acts a second from now on`);
  ledger.takeP99();
  ledger.refusals = 0;
  console.log(lineOf(columns));
  while (!interrupted && ledger.broken === null && (performance.now() - startedAt) / 60_000 < minutes) {
    const [callsBefore, from] = [ledger.calls, performance.now()];
    resume();
    for (let second = 0; second < 60 && !interrupted && ledger.broken === null; second += 1) {
      await sleep(1_000);
      if (process.stderr.isTTY) process.stderr.write(`\r  ${ledger.calls} calls, next check in ${60 - second} s `);
      if ((performance.now() - startedAt) / 60_000 >= minutes) break;
    }
    if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');
    await pause();
    const row = await measure(ledger.calls - callsBefore, performance.now() - from);
    rows.push(row);
    print(row);
    const broken = ledger.broken === null ? await findBroken(tables, path, () => token(null)) : null;
    if (broken !== null) ledger.break(broken);
  }
} catch (error) {
  ledger.break(`the run failed: ${error instanceof Error ? error.stack : error}`);
}
summarise(rows);
for (const end of endings)
  await Promise.resolve(end()).catch((/** @type {unknown} */ error) => say(`at the end: ${error}`));
const badExit = nodes.find(({ child }) => child.exitCode !== 0);
if (badExit !== undefined)
  ledger.break(`a stopped node exited with ${badExit.child.exitCode ?? badExit.child.signalCode}`);
if (ledger.broken !== null) console.log(`\nBROKEN: ${ledger.broken}`);
process.exit(ledger.broken === null ? 0 : 1);
