// What is measured and what it must reach: the table of docs/performance.md.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { Agent, get } from 'node:http';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { idOf, nameOf } from './names.mjs';
import { residentMb } from './processes.mjs';
import { connectSessions } from './sessions.mjs';

/** @typedef {import('./stage.mjs').Server} Server */
/** @typedef {import('./race.mjs').Contestant} Contestant */
/** @typedef {import('./race.mjs').Sample} Sample */

/**
 * A ratio of two contestants (or a value of one) and what it must reach.
 *
 * @typedef {object} Target
 * @property {string} text
 * @property {string} of
 * @property {string} [to] nothing: a value of `of` alone
 * @property {keyof Sample} [what] instead of requests a second
 * @property {number} [times] what one request of `of` counts as
 * @property {number} [least]
 * @property {number} [most]
 */

/**
 * @typedef {object} Row
 * @property {string} id
 * @property {string} title
 * @property {boolean} [main] part of a short run
 * @property {number} [connections]
 * @property {Contestant[]} contestants
 * @property {Target[]} targets
 * @property {() => Promise<() => void>} [prepare]
 * @property {string} [note]
 */

const app = '/bench/bench';
const sessionsOnline = 1_000;
const namesPerBatch = 100;
const accountsPerBatch = 60;
const otherCallEveryMs = 50;

const engines = /** @type {const} */ (['sqlite', 'mariadb']);
const nameOfEngine = { sqlite: 'SQLite', mariadb: 'MariaDB' };
const bare = join(import.meta.dirname, 'bare');

/** @param {Server} server */
const jwt = ({ tokens }) => ({ authorization: `Bearer ${tokens.jwt}` });

/** @param {(server: Server) => Record<string, string>} [headers] */
const getUser =
  (headers = jwt) =>
  (/** @type {Server} */ server) => ({
    method: 'GET',
    path: `"${app}/users/" .. any()`,
    headers: headers(server),
  });
const getUserBare = { method: 'GET', path: '"/users/" .. any()' };

/** @param {string} members Lua: what follows the name */
const account = (members = '') => `'{"username":"' .. fresh() .. '"${members}}'`;
/** @param {string} body @returns {(server: Server) => import('./wrk.mjs').Load} */
const register = (body) => (server) => ({
  method: 'POST',
  path: `"${app}/users"`,
  headers: jwt(server),
  body,
  once: true,
});
const registerMany = `'[' .. list(${accountsPerBatch}, function() return ${account()} end) .. ']'`;
/** @param {string} path @param {string} [body] */
const registerBare = (path, body = account()) => ({
  method: 'POST',
  path: `"${path}"`,
  headers: { 'content-type': 'application/json' },
  body,
  once: true,
});
/** @param {string} call @param {string} body @param {boolean} [once] */
const ejabberd = (call, body, once = false) => ({
  method: 'POST',
  path: `"/api/${call}"`,
  headers: { 'content-type': 'application/json' },
  body,
  once,
});

/** @param {Server} server */
const status = (server) => ({ method: 'GET', path: `"${app}/users/" .. some() .. "/status"`, headers: jwt(server) });
/** @param {Server} server */
const batchStatus = (server) => ({
  method: 'POST',
  path: `"${app}/users/batch/status"`,
  headers: jwt(server),
  body: `'{"usernames":[' .. list(${namesPerBatch}, function() return '"' .. some() .. '"' end) .. ']}'`,
});
/** @param {Server} server @returns {import('./wrk.mjs').Load} */
const ban = (server) => ({
  method: 'POST',
  path: `"${app}/users/" .. next() .. "/deactivate"`,
  headers: jwt(server),
  once: true,
});

/**
 * @param {import('./stage.mjs').Stage} stage
 * @param {{ peer: boolean, against: boolean }} options
 * @returns {Row[]}
 */
export function rowsOf(stage, { peer, against }) {
  /**
   * The same calls against another build, if there is one to compare. @param {string} engine @param
   * {Contestant['load']} load @returns {Contestant[]}
   */
  const before = (engine, load) => (against ? [{ name: 'another build', on: `before ${engine}`, load }] : []);
  /** @returns {Target[]} */
  const sinceThen = (of = 'Rollcall') => (against ? [{ text: 'times another build', of, to: 'another build' }] : []);
  /** @param {import('./wrk.mjs').Load} load @returns {Contestant[]} */
  const byPeer = (load) => (peer ? [{ name: 'ejabberd', on: 'ejabberd', load }] : []);
  /** @param {Target} target @returns {Target[]} */
  const toPeer = (target) => (peer ? [target] : []);

  /** @param {'sqlite' | 'mariadb'} engine @returns {Row} */
  const lists = (engine) => ({
    id: `list-${engine}`,
    title: `A page of 100 of all users, ${nameOfEngine[engine]}`,
    connections: 16,
    contestants: [
      {
        name: 'first page',
        on: `ours ${engine}`,
        load: (server) => ({ method: 'GET', path: `"${app}/users?limit=100"`, headers: jwt(server) }),
      },
      {
        name: 'last page',
        on: `ours ${engine}`,
        load: (server) => {
          const cursor = cursorAfter(appIdOf(server), idOf(server.users - 101));
          return { method: 'GET', path: `"${app}/users?limit=100&cursor=${cursor}"`, headers: jwt(server) };
        },
      },
    ],
    targets: [{ text: 'cost of the last page: ≤ 1.2 × the first', of: 'first page', to: 'last page', most: 1.2 }],
  });

  /** @param {'memory' | 'Redis'} store @returns {Row[]} */
  const statuses = (store) => {
    const on = store === 'memory' ? 'ours sqlite' : 'ours redis';
    const prepare = async () => connectSessions(stage, (await stage.server(on)).url, sessionsOnline);
    const note = `${sessionsOnline.toLocaleString('en')} users are online; half of the names asked for are theirs. In ejabberd nobody is.`;
    const presence = ejabberd('get_presence', `'{"user":"' .. any() .. '","server":"localhost"}'`);
    return [
      {
        id: `status-${store.toLowerCase()}`,
        title: `Status of one user, ${store}`,
        contestants: [{ name: 'Rollcall', on, load: status }, ...byPeer(presence)],
        targets: toPeer({ text: '≥ 1.3 × ejabberd get_presence', of: 'Rollcall', to: 'ejabberd', least: 1.3 }),
        prepare,
        note,
      },
      {
        id: `status-100-${store.toLowerCase()}`,
        title: `Status of 100 users in one call, ${store}`,
        contestants: [
          { name: 'Rollcall, 100 a call', on, load: batchStatus },
          { name: 'one a call', on, load: status },
          ...byPeer(presence),
        ],
        targets: [
          {
            text: 'users a second: times one a call',
            of: 'Rollcall, 100 a call',
            to: 'one a call',
            times: namesPerBatch,
          },
          ...toPeer({
            text: 'users a second: ≥ 20 × ejabberd get_presence',
            of: 'Rollcall, 100 a call',
            to: 'ejabberd',
            times: namesPerBatch,
            least: 20,
          }),
        ],
        prepare,
        note,
      },
    ];
  };

  /** @param {'sqlite' | 'mariadb'} engine @returns {Row} */
  const passwords = (engine) => ({
    id: `password-${engine}`,
    title: `Register with a password, ${nameOfEngine[engine]}`,
    connections: 16,
    contestants: [
      {
        name: 'Rollcall',
        on: `ours ${engine}`,
        load: register(account(',"password":"a password of some length"')),
        beside: otherCalls,
      },
      { name: 'bare argon2id', measure: bareHashing },
    ],
    targets: [
      { text: '≥ 0.95 × bare argon2id', of: 'Rollcall', to: 'bare argon2id', least: 0.95 },
      { text: "other calls' p99 < 50 ms meanwhile", of: 'Rollcall', what: 'othersP99', most: 50 },
    ],
  });

  /** @type {Row[]} */
  const rows = [
    {
      id: 'start',
      title: 'From start to ready, SQLite',
      contestants: [{ name: 'Rollcall', measure: () => startAgain(stage) }],
      targets: [{ text: '< 1 s', of: 'Rollcall', what: 'p50', most: 1_000 }],
      note: 'p50 is the time in milliseconds from `node dist/main.js` to its banner.',
    },
    {
      id: 'memory-idle',
      title: 'Memory when idle, SQLite',
      contestants: [{ name: 'Rollcall', measure: () => memoryOf(stage, 2_000) }],
      targets: [{ text: '< 150 MB', of: 'Rollcall', what: 'residentMb', most: 150 }],
    },
    {
      id: 'get-sqlite',
      title: 'GET a user, SQLite',
      main: true,
      contestants: [
        { name: 'Rollcall', on: 'ours sqlite', load: getUser() },
        {
          name: 'with a 007 token',
          on: 'ours sqlite',
          load: getUser(({ tokens }) => ({ authorization: `Bearer ${tokens.agora}` })),
        },
        ...before('sqlite', getUser()),
        { name: 'bare Fastify, prepared', on: 'bare sqlite', load: getUserBare },
      ],
      targets: [
        {
          text: '≥ 0.75 × bare Fastify, prepared statement',
          of: 'Rollcall',
          to: 'bare Fastify, prepared',
          least: 0.75,
        },
        { text: '007 token: ≥ 0.9 × JWT', of: 'with a 007 token', to: 'Rollcall', least: 0.9 },
        ...sinceThen(),
      ],
    },
    {
      id: 'get-mariadb',
      title: 'GET a user, MariaDB',
      main: true,
      contestants: [
        { name: 'Rollcall', on: 'ours mariadb', load: getUser() },
        {
          name: 'with a 007 token',
          on: 'ours mariadb',
          load: getUser(({ tokens }) => ({ authorization: `Bearer ${tokens.agora}` })),
        },
        ...before('mariadb', getUser()),
        { name: 'bare Fastify, mysql2', on: 'bare mysql', load: getUserBare },
      ],
      targets: [
        { text: '≥ 1.5 × bare Fastify, mysql2 execute', of: 'Rollcall', to: 'bare Fastify, mysql2', least: 1.5 },
        { text: '007 token: ≥ 0.9 × JWT', of: 'with a 007 token', to: 'Rollcall', least: 0.9 },
        ...sinceThen(),
      ],
    },
    ...statuses('memory'),
    ...statuses('Redis'),
    lists('sqlite'),
    lists('mariadb'),
    {
      id: 'rejected',
      title: 'GET a user, refused by the rate limit, memory',
      contestants: [
        { name: 'refused', on: 'ours sqlite', mayRefuse: true, load: limited },
        { name: 'accepted', on: 'ours sqlite', load: getUser() },
      ],
      targets: [{ text: '≥ 2 × the accepted call', of: 'refused', to: 'accepted', least: 2 }],
      note: 'The app may call 100 times a second, so all but a few answers are refusals.',
    },
    {
      id: 'register-sqlite',
      title: 'Register without a hash, SQLite',
      main: true,
      contestants: [
        { name: 'Rollcall', on: 'ours sqlite', load: register(account()) },
        ...before('sqlite', register(account())),
        { name: 'bare, a commit each', on: 'bare sqlite', load: registerBare('/users') },
        { name: 'bare, group commit', on: 'bare sqlite', load: registerBare('/users/grouped') },
      ],
      targets: [
        { text: '≥ 4 × bare, a commit per request', of: 'Rollcall', to: 'bare, a commit each', least: 4 },
        { text: '≥ 0.6 × bare, group commit', of: 'Rollcall', to: 'bare, group commit', least: 0.6 },
        ...sinceThen(),
      ],
    },
    {
      id: 'register-mariadb',
      title: 'Register without a hash, MariaDB',
      main: true,
      contestants: [
        { name: 'Rollcall', on: 'ours mariadb', load: register(account()) },
        ...before('mariadb', register(account())),
        { name: 'bare, an INSERT each', on: 'bare mysql', load: registerBare('/users') },
      ],
      targets: [
        { text: '≥ 1.5 × bare, an INSERT per request', of: 'Rollcall', to: 'bare, an INSERT each', least: 1.5 },
        ...sinceThen(),
      ],
    },
    {
      id: 'register-60-mariadb',
      title: 'Register 60 per call without a hash, MariaDB',
      connections: 16,
      contestants: [
        { name: 'Rollcall', on: 'ours mariadb', load: register(registerMany) },
        ...before('mariadb', register(registerMany)),
        { name: 'bare 60-row INSERT', on: 'bare mysql', load: registerBare('/users/many', registerMany) },
      ],
      targets: [
        { text: '≥ 0.7 × bare 60-row INSERT', of: 'Rollcall', to: 'bare 60-row INSERT', least: 0.7 },
        ...sinceThen(),
      ],
    },
    {
      id: 'register-60-sqlite',
      title: 'Register 60 per call without a hash, SQLite',
      connections: 16,
      contestants: [
        { name: 'Rollcall', on: 'ours sqlite', load: register(registerMany) },
        ...before('sqlite', register(registerMany)),
        { name: 'bare, 60 rows a commit', on: 'bare sqlite', load: registerBare('/users/many', registerMany) },
      ],
      targets: [{ text: 'times bare, 60 rows a commit', of: 'Rollcall', to: 'bare, 60 rows a commit' }, ...sinceThen()],
    },
    ...engines.map((engine) => ({
      id: `ban-${engine}`,
      title: `Ban, ${nameOfEngine[engine]}`,
      contestants: [
        { name: 'Rollcall', on: `ours ${engine}`, load: ban },
        ...before(engine, ban),
        ...byPeer(ejabberd('ban_account', `'{"user":"' .. next() .. '","host":"localhost","reason":"bench"}'`, true)),
      ],
      targets: [
        ...toPeer({
          text: '≥ 1.5 × ejabberd ban_account, plain passwords',
          of: 'Rollcall',
          to: 'ejabberd',
          least: 1.5,
        }),
        ...sinceThen(),
      ],
    })),
    passwords('sqlite'),
    passwords('mariadb'),
    {
      id: 'memory-after',
      title: 'Memory after the run, SQLite',
      contestants: [{ name: 'Rollcall', measure: () => memoryOf(stage, 0) }],
      targets: [{ text: '< 300 MB', of: 'Rollcall', what: 'residentMb', most: 300 }],
    },
  ];
  return rows;
}

/**
 * The format of src/cursors/list-cursor.ts, to avoid walking to that position. A cursor in any other format would be
 * refused.
 *
 * @param {string} appId @param {number} afterId
 */
function cursorAfter(appId, afterId) {
  const position = afterId.toString(36);
  const check = createHash('sha256').update(`list cursor ${appId} ${position}`).digest('base64url').slice(0, 16);
  return Buffer.from(`${position}:${check}`).toString('base64url');
}

/** The app's id, which Rollcall's tokens are issued for. @param {Server} server */
function appIdOf({ tokens }) {
  const [, claims = ''] = String(tokens.jwt).split('.');
  return String(JSON.parse(Buffer.from(claims, 'base64url').toString()).aud);
}

/** @param {Server} server */
const limited = ({ tokens }) => ({
  method: 'GET',
  path: '"/bench/limited/users/" .. any()',
  headers: { authorization: `Bearer ${tokens.limited}` },
});

/** @param {number} seconds @returns {Promise<Sample>} */
async function bareHashing(seconds) {
  const { stdout } = await promisify(execFile)(process.execPath, [join(bare, 'argon2.mjs'), String(seconds)]);
  return JSON.parse(stdout);
}

/**
 * A look-up every few milliseconds during another load: how long its callers wait.
 *
 * @param {Server} server @returns {Promise<() => Promise<Partial<Sample>>>}
 */
async function otherCalls(server) {
  const agent = new Agent({ keepAlive: true });
  /** @type {number[]} */
  const times = [];
  let isRunning = true;
  const call = () =>
    new Promise((resolve, reject) => {
      const startedAt = performance.now();
      const path = `${server.url}${app}/users/${nameOf(times.length % server.users)}`;
      get(path, { agent, headers: jwt(server) }, (response) => {
        response.resume().once('end', () => resolve(times.push(performance.now() - startedAt)));
      }).once('error', reject);
    });
  const calls = (async () => {
    for (; isRunning; await delay(otherCallEveryMs)) await call();
  })();
  return async () => {
    isRunning = false;
    await calls;
    agent.destroy();
    times.sort((one, other) => one - other);
    return { othersP99: times[Math.floor(times.length * 0.99)] ?? NaN };
  };
}

/** @param {import('./stage.mjs').Stage} stage @returns {Promise<Sample>} */
async function startAgain(stage) {
  const milliseconds = await stage.timeToReady();
  return { perSecond: 1_000 / milliseconds, p50: milliseconds };
}

/** @param {import('./stage.mjs').Stage} stage @param {number} afterMs @returns {Promise<Sample>} */
async function memoryOf(stage, afterMs) {
  const { pid } = await stage.server('ours sqlite');
  await delay(afterMs);
  return { perSecond: NaN, residentMb: residentMb(pid) };
}
