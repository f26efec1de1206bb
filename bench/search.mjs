// What a page of the search for users costs in an app of 1,000,000 users, of whom 10,000 are banned and 50,000 online.
// Run after `npm run build`: node bench/search.mjs [--engine sqlite|mariadb] [--users N] [--calls N]. The service runs in
// this process, so that 50,000 users are online without as many connections. It stops what it started at the end.
import 'reflect-metadata';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createConnection } from 'mysql2/promise';
import { pino } from 'pino';
import { AppsService } from '../build/apps/apps.service.js';
import { TokensService } from '../build/auth/tokens.service.js';
import { loadEnv } from '../build/config/env.js';
import { Database } from '../build/database/database.js';
import { createHttpApplication } from '../build/http-application.js';
import { PresenceStore } from '../build/presence/presence.store.js';
import { nicknameKey } from '../build/users/nickname-key.js';
import { startMariaDb } from '../scripts/test-servers.mjs';
import { columns, rowsByName } from './names.mjs';

const { values: options } = parseArgs({
  options: {
    engine: { type: 'string', default: 'sqlite' },
    users: { type: 'string', default: '1000000' },
    calls: { type: 'string', default: '100' },
  },
});
const users = Number(options.users);
const calls = Number(options.calls);
const rowsPerTransaction = 2_000;
const limit = 50;
/** One in so many users is banned, or online. */
const [bannedOneIn, onlineOneIn] = [100, 20];
/** Between two calls, as a person makes. Without a pause, an app's costly reads wait for each other. */
const pauseMs = 20;
const firstNames = ['Anna', 'Émile', 'Jürgen', 'Σοφία', 'María', '李', 'Olga', 'Ahmed', 'Wei', 'Noor'];

const folder = await mkdtemp(join(tmpdir(), 'rollcall-search-'));
const maria = options.engine === 'mariadb' ? await startMariaDb() : null;
const name = `rollcall_bench_${randomBytes(4).toString('hex')}`;
if (maria !== null) {
  const server = await createConnection(maria.url);
  await server.query(`CREATE DATABASE ${name}`);
  await server.end();
}
const [appId, certificate] = [randomBytes(16).toString('hex'), randomBytes(16).toString('hex')];
const env = loadEnv({
  DATABASE_URL: maria === null ? `sqlite:${join(folder, 'rollcall.sqlite')}` : `${maria.url}/${name}`,
  BOOTSTRAP_APPS: `bench/bench:${appId}:${certificate}`,
});
const { app: nest } = await createHttpApplication(env, pino({ level: 'error' }));

/** @param {string} id of the app */
async function fill(id) {
  const database = nest.get(Database);
  const presence = nest.get(PresenceStore);
  await presence.renew([id]);
  const began = performance.now();
  const [userRows, seenRows, banRows] = [[], [], []].map((rows) => /** @type {Record<string, any>[]} */ (rows));
  const store = async () => {
    await database.write(async (transaction) => {
      await transaction.insert('users', [...columns, 'nickname_key'], userRows);
      if (seenRows.length > 0) await transaction.insert('user_last_seen', ['app_id', 'user_uuid', 'at'], seenRows);
      if (banRows.length > 0) await transaction.insert('bans', Object.keys(banRows[0] ?? {}), banRows);
    }, id);
    banRows.length = 0;
    userRows.length = 0;
    seenRows.length = 0;
  };
  let index = 0;
  for (const values of rowsByName(id, users)) {
    const row = Object.fromEntries(columns.map((column, place) => [column, values[place]]));
    // In no step with who is banned or online.
    const nickname = `${firstNames[Math.floor(index / 13) % firstNames.length]} ${row.username}`;
    Object.assign(row, { nickname, nickname_key: nicknameKey(nickname), has_blocks: 0 });
    if (index % bannedOneIn === 0) {
      row.activated = 0;
      banRows.push({
        ...{ app_id: id, user_uuid: row.uuid, id: row.id, user_id: row.id, state: 1, starts_at: row.created_at },
        ...{ banned_by: 'bench', source: 'agora', created_at: row.created_at },
      });
    }
    if (index % onlineOneIn === 1) {
      seenRows.push({ app_id: id, user_uuid: row.uuid, at: row.created_at + 86_400_000 });
      const session = { appId: id, sessionId: String(index), userUuid: row.uuid, username: row.username };
      await presence.announce({
        ...{ ...session, resource: 'web_1', platform: 'web', deviceName: '', since: 0 },
        node: presence.nodeId,
      });
    }
    userRows.push(row);
    index += 1;
    if (userRows.length === rowsPerTransaction) await store();
  }
  if (userRows.length > 0) await store();
  if (maria !== null) await database.read('ANALYZE TABLE users, user_last_seen, bans');
  console.log(`${users} users in ${((performance.now() - began) / 1000).toFixed(0)} s`);
}

/** @param {number[]} times sorted @param {number} part */
const quantile = (times, part) => times[Math.min(times.length - 1, Math.floor(times.length * part))] ?? 0;

try {
  await nest.init();
  const apps = nest.get(AppsService);
  await apps.bootstrap();
  const app = await apps.set(/** @type {any} */ (await apps.find('bench', 'bench')), 'rate_profile', 'off');
  await fill(app.id);
  const { accessToken } = nest.get(TokensService).issueAppToken(app);
  const firstAt = Date.UTC(2024, 0, 1);
  const spanMs = users * 50;
  const anyTime = () => firstAt + Math.floor(Math.random() * spanMs * 0.9);
  const anyPrefix = () =>
    `u${Math.floor(Math.random() * 4096)
      .toString(16)
      .padStart(3, '0')}`;
  const dayMs = 86_400_000;

  /** @param {string} title @param {() => Record<string, string | number>} queryOf */
  const measure = async (title, queryOf) => {
    const times = [];
    let [scanned, found, incomplete] = [0, 0, 0];
    for (let call = 0; call < calls; call += 1) {
      // A first page, or the one after it.
      const query = new URLSearchParams(Object.entries(queryOf()).map(([key, value]) => [key, String(value)]));
      query.set('limit', String(limit));
      for (let page = 0; page < 2; page += 1) {
        await sleep(pauseMs);
        const began = performance.now();
        const answer = await nest.inject({
          ...{ method: 'GET', url: `/bench/bench/search/users?${query.toString()}` },
          headers: { authorization: `Bearer ${accessToken}` },
        });
        times.push(performance.now() - began);
        if (answer.statusCode !== 200) throw new Error(`${title}: ${answer.payload}`);
        const body = JSON.parse(answer.payload);
        scanned += body.scanned;
        found += body.count;
        incomplete += body.complete ? 0 : 1;
        if (body.cursor === undefined) break;
        query.set('cursor', body.cursor);
      }
    }
    times.sort((one, other) => one - other);
    const ms = [0.5, 0.99].map((part) => quantile(times, part).toFixed(1).padStart(7));
    const counts = [scanned, found].map((sum) => Math.round(sum / times.length));
    console.log(`| ${title.padEnd(52)} | ${ms.join(' | ')} | ${counts.join(' | ')} | ${incomplete} |`);
  };

  console.log('| filter | p50 ms | p99 ms | scanned | found | incomplete |\n| --- | --- | --- | --- | --- | --- |');
  await measure('(warm up)', () => ({}));
  await measure('none', () => ({}));
  await measure('username', () => ({ username: anyPrefix() }));
  await measure('nickname', () => ({ nickname: `émile ${anyPrefix()}` }));
  await measure('nickname of a tenth of all', () => ({ nickname: 'Σοφ' }));
  await measure('created', () => ({ created_from: anyTime() }));
  await measure('last seen', () => ({ last_seen_from: anyTime() + dayMs }));
  await measure('state=online', () => ({ state: 'online' }));
  await measure('state=active', () => ({ state: 'active' }));
  await measure('state=banned', () => ({ state: 'banned' }));
  for (const sort of ['created', '-created', 'username', '-nickname', '-last_seen'])
    await measure(`sort=${sort}`, () => ({ sort }));
  await measure('username, created', () => ({ username: anyPrefix(), created_from: anyTime() }));
  await measure('username, state=banned', () => ({ username: anyPrefix(), state: 'banned' }));
  await measure('nickname, state=banned', () => ({ nickname: 'María', state: 'banned' }));
  await measure('nickname, state=online', () => ({ nickname: 'Olga', state: 'online' }));
  await measure('created, state=banned', () => ({ created_from: anyTime(), state: 'banned' }));
  await measure('last seen, state=online', () => ({ last_seen_from: anyTime(), state: 'online' }));
  await measure('username, sort=-last_seen', () => ({ username: anyPrefix(), sort: '-last_seen' }));
  await measure('state=online, sort=-created', () => ({ state: 'online', sort: '-created' }));
  await measure('nothing matches, 5,000 scanned', () => ({ nickname: 'Wei', username: 'u', last_seen_to: 1 }));
  await measure('nobody banned among the active', () => ({ nickname: 'Émile', last_seen_from: 1, created_from: 1 }));
} finally {
  await nest.close();
  await maria?.stop();
  await rm(folder, { recursive: true, force: true });
}
