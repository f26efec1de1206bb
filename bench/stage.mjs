// Everything that a benchmark drives: databases, Rollcall, bare programs. Each is started once, on first use.
import { createHash } from 'node:crypto';
import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import Sqlite from 'better-sqlite3';
import { createConnection } from 'mysql2/promise';
import { startMariaDb, startRedis } from '../scripts/test-servers.mjs';
import { fillMysql, fillSqlite } from './fill.mjs';
import { startEjabberd } from './peer.mjs';
import { startProgram } from './processes.mjs';

const { ChatTokenBuilder } = /** @type {any} */ (createRequire(import.meta.url)('agora-token'));

const root = join(import.meta.dirname, '..');
const bufferPoolBytes = 2 * 1024 ** 3;
const tokenSeconds = 86_400;
const usersWithRedis = 10_000;

/** Two apps: one without limits, and one with the limits of a new app. */
const apps = ['bench/bench', 'bench/limited'].map((path) => {
  const hex = (/** @type {string} */ what) =>
    createHash('sha256').update(`${what} of ${path}`).digest('hex').slice(0, 32);
  return { path, appId: hex('id'), certificate: hex('certificate') };
});
const [bench] = /** @type {[typeof apps[0]]} */ (apps);

/**
 * @typedef {object} Server
 * @property {string} url
 * @property {number} pid
 * @property {number[]} databasePids whose work counts too
 * @property {number} users
 * @property {number} [readyMs]
 * @property {() => Promise<void>} [stop]
 * @property {Record<string, string>} tokens
 */

/** `NAME` for `ours NAME`, and `before NAME` for the same from another build. */
const engines = /** @type {const} */ (['sqlite', 'mariadb', 'redis']);

export class Stage {
  /** @type {Map<string, Promise<any>>} */
  #made = new Map();
  /** @type {(() => Promise<unknown>)[]} */
  #ends = [];

  /** @param {{ users: number, cache: string, dist: string, against: string | null, profiles: string | null, say: (text: string) => void }} options */
  constructor(options) {
    this.options = options;
  }

  /** @param {string} name @returns {Promise<Server>} */
  server(name) {
    return this.#once(name, async () => {
      const [kind = '', engine = ''] = name.split(' ');
      if (name === 'ejabberd') return this.#ended(await startEjabberd(await this.#folder()));
      if (kind === 'bare') return engine === 'sqlite' ? this.#bareSqlite() : this.#bareMysql();
      if (!engines.some((known) => known === engine)) throw new Error(`there is no ${name}`);
      return this.#ours(kind === 'before' ? String(this.options.against) : this.options.dist, engine);
    });
  }

  async stop() {
    for (const end of this.#ends.reverse()) await end().catch(() => undefined);
    this.#ends = [];
    this.#made.clear();
  }

  /**
   * Rollcall as in production, except for the limits of the app. @param {string} dist @param {string} engine @returns
   * {Promise<Server>}
   */
  async #ours(dist, engine, withRedis = engine === 'redis') {
    const database = await this.#database(engine, dist);
    const redisUrl = withRedis ? (await this.#redis()).url : '';
    const { profiles } = this.options;
    const program = await startProgram(
      join(dist, 'main.js'),
      { ...environment(database.url), REDIS_URL: redisUrl },
      profiles === null ? [] : ['--cpu-prof', `--cpu-prof-dir=${join(profiles, basename(dirname(resolve(dist))))}`],
    );
    this.#ends.push(() => program.stop());
    const { access_token: jwt } = await this.#jwt(program.url, bench);
    const [, limited] = apps;
    return {
      ...program,
      databasePids: database.pids,
      users: database.users,
      tokens: {
        jwt,
        limited: limited === undefined ? '' : (await this.#jwt(program.url, limited)).access_token,
        agora: ChatTokenBuilder.buildAppToken(bench.appId, bench.certificate, tokenSeconds),
      },
    };
  }

  /** This many processes on one MariaDB, connected by Redis. @param {number} count @returns {Promise<Server[]>} */
  nodes(count) {
    return Promise.all(
      Array.from({ length: count }, (_, index) =>
        this.#once(`node ${index}`, () => this.#ours(this.options.dist, 'mariadb', true)),
      ),
    );
  }

  /** Milliseconds from the start of another process on the same SQLite file to its banner. */
  async timeToReady() {
    const { url } = await this.#database('sqlite', this.options.dist);
    const program = await startProgram(join(this.options.dist, 'main.js'), environment(url));
    await program.stop();
    return program.readyMs;
  }

  /** @param {string} username @returns {string} */
  userToken(username) {
    return ChatTokenBuilder.buildUserToken(bench.appId, bench.certificate, username, tokenSeconds);
  }

  /** @param {string} url @param {typeof bench} app @returns {Promise<{ access_token: string }>} */
  async #jwt(url, { path, appId, certificate }) {
    const response = await fetch(`${url}/${path}/token`, {
      method: 'POST',
      body: JSON.stringify({ grant_type: 'client_credentials', client_id: appId, client_secret: certificate }),
    });
    if (!response.ok) throw new Error(`no app token: ${await response.text()}`);
    return /** @type {{ access_token: string }} */ (await response.json());
  }

  /** A separate database for each build and engine. @param {string} engine @param {string} dist */
  #database(engine, dist) {
    return this.#once(`database ${engine} ${dist}`, async () => {
      const url =
        engine === 'mariadb' ? await this.#newMysqlDatabase() : `sqlite:${join(await this.#folder(), 'db.sqlite')}`;
      // The schema and the apps, created by Rollcall itself.
      await (await startProgram(join(dist, 'main.js'), environment(url))).stop();
      await setApp(dist, url, 'rate_profile=off');
      await setApp(dist, url, 'password_optional=true');
      const users = engine === 'redis' ? Math.min(usersWithRedis, this.options.users) : this.options.users;
      const { cache, say } = this.options;
      if (engine === 'mariadb') await fillMysql(url, users, cache, say);
      else await fillSqlite(url.slice('sqlite:'.length), users, cache, say);
      return { url, users, pids: engine === 'mariadb' ? [(await this.#mariaDb()).pid] : [] };
    });
  }

  async #newMysqlDatabase() {
    const { url } = await this.#mariaDb();
    const server = await createConnection(url);
    const name = `rollcall_bench_${this.#ends.length}`;
    await server.query(`CREATE DATABASE ${name}`);
    await server.end();
    return `${url}/${name}`;
  }

  #mariaDb() {
    return this.#once('MariaDB', async () => {
      const maria = this.#ended(await startMariaDb());
      const server = await createConnection(maria.url);
      // As on any dedicated database server; the default would read from disk all the time.
      await server.query(`SET GLOBAL innodb_buffer_pool_size = ${bufferPoolBytes}`);
      await server.end();
      return maria;
    });
  }

  #redis() {
    return this.#once('Redis', async () => this.#ended(await startRedis()));
  }

  /** @returns {Promise<Server>} */
  async #bareSqlite() {
    const { url, users } = await this.#database('sqlite', this.options.dist);
    const path = join(await this.#folder(), 'bare.sqlite');
    const from = url.slice('sqlite:'.length);
    // A copy, so that neither sees the other's rows or locks; the log goes with the file.
    const database = new Sqlite(from);
    database.pragma('wal_checkpoint(TRUNCATE)');
    const app = /** @type {{ id: string }} */ (database.prepare("SELECT id FROM apps WHERE name = 'bench'").get());
    await copyFile(from, path, constants.COPYFILE_FICLONE);
    database.close();
    const program = await startProgram(join(root, 'bench/bare/sqlite.mjs'), { SQLITE_PATH: path, APP_ID: app.id });
    return this.#ended({ ...program, users, databasePids: [], tokens: {} });
  }

  /** @returns {Promise<Server>} */
  async #bareMysql() {
    // The same table: it keeps the same size for both.
    const { url, users, pids } = await this.#database('mariadb', this.options.dist);
    const database = await createConnection(url);
    const [[app]] = /** @type {[{ id: string }[], unknown]} */ (
      await database.query("SELECT id FROM apps WHERE name = 'bench'")
    );
    await database.end();
    const program = await startProgram(join(root, 'bench/bare/mysql.mjs'), { MYSQL_URL: url, APP_ID: app?.id });
    return this.#ended({ ...program, users, databasePids: pids, tokens: {} });
  }

  async #folder() {
    const folder = await mkdtemp(join(tmpdir(), 'rollcall-bench-'));
    this.#ends.push(() => rm(folder, { recursive: true, force: true }));
    return folder;
  }

  /** @template {{ stop?: () => Promise<unknown> }} T @param {T} started @returns {T} */
  #ended(started) {
    this.#ends.push(async () => started.stop?.());
    return started;
  }

  /** @template T @param {string} name @param {() => Promise<T>} make @returns {Promise<T>} */
  #once(name, make) {
    const made = this.#made.get(name) ?? make();
    this.#made.set(name, made);
    return made;
  }
}

/** @param {string} databaseUrl @returns {Record<string, string>} */
function environment(databaseUrl) {
  return {
    PORT: '0',
    LOG_LEVEL: 'warn',
    SHUTDOWN_DRAIN_MS: '0',
    DATABASE_URL: databaseUrl,
    BOOTSTRAP_APPS: apps.map(({ path, appId, certificate }) => `${path}:${appId}:${certificate}`).join(','),
  };
}

/** @param {string} dist @param {string} databaseUrl @param {string} setting */
async function setApp(dist, databaseUrl, setting) {
  await promisify(execFile)(process.execPath, [join(dist, 'cli.js'), 'app', 'set', bench.path, setting], {
    env: { PATH: process.env.PATH, DATABASE_URL: databaseUrl, LOG_LEVEL: 'error' },
  });
}
