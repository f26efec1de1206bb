// The cost of counting, querying the state of and pulling messages with few and many offline messages, over 1,000
// users:
// `node bench/offline-messages.mjs [sqlite|mariadb]` against dist/. Prints medians and keeps nothing.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NestFactory } from '@nestjs/core';
import { startMariaDb } from '../scripts/test-servers.mjs';

const engine = process.argv[2] ?? 'sqlite';
const users = 1_000;
const sizes = [1_000, 100_000];
const samples = 2_000;
const dist = join(import.meta.dirname, '../dist');
/** @param {string} path @returns {Promise<any>} */
const load = (path) => import(join(dist, path));

const { AppModule } = await load('app.module.js');
const { loadEnv } = await load('config/env.js');
const { AppsService } = await load('apps/apps.service.js');
const { UsersService } = await load('users/users.service.js');
const { OfflineMessagesService } = await load('offline-messages/offline-messages.service.js');

const folder = await mkdtemp(join(tmpdir(), 'rollcall-bench-'));
const server = engine === 'mariadb' ? await startMariaDb() : null;

/** @param {number[]} times */
const median = (times) => (times.sort((one, other) => one - other)[Math.floor(times.length / 2)] ?? 0) * 1_000;

/** @param {number} messages */
async function measure(messages) {
  const database = await databaseUrl(`bench_${messages}`);
  const nest = await NestFactory.createApplicationContext(AppModule.forRoot(loadEnv({ DATABASE_URL: database })), {
    logger: false,
  });
  const app = await nest.get(AppsService).create({ org: 'bench', name: 'bench' });
  const service = nest.get(OfflineMessagesService);
  const names = Array.from({ length: users }, (_none, index) => `user-${index}`);
  for (let start = 0; start < users; start += 50)
    await nest.get(UsersService).register(
      app,
      names.slice(start, start + 50).map((username) => ({ username })),
      true,
    );
  const found = await Promise.all(names.map((name) => nest.get(UsersService).find(app.id, name)));
  const uuids = found.map((user) => /** @type {string} */ (user.uuid));
  const body = JSON.stringify({ msg: 'x'.repeat(100) });
  const receivers = names.map((username) => ({ username, offline: true }));
  /** @type {string[]} */
  let ids = [];
  const startedAt = performance.now();
  for (let round = 0; round < messages / users; round += 1) {
    const message = { sender: 'admin', chatType: 'chat', type: 'txt', body, ext: null };
    ids = (await service.store(app, message, receivers)).map((/** @type {{ id: number }} */ { id }) => String(id));
  }
  const storedMs = performance.now() - startedAt;
  /** @param {(index: number) => Promise<unknown>} work */
  const time = async (work) => {
    const times = [];
    for (let sample = 0; sample < samples; sample += 1) {
      const index = (sample * 7919) % users;
      const from = performance.now();
      await work(index);
      times.push(performance.now() - from);
    }
    return median(times.slice(samples / 10));
  };
  const result = {
    messages,
    stored_per_second: Math.round(messages / (storedMs / 1_000)),
    count_us: await time((index) => service.count(app.id, uuids[index], null)),
    status_us: await time((index) => service.stateOf(app.id, uuids[index], ids[index])),
    open_us: await time((index) => service.open(app.id, uuids[index])),
    pull_1_us: await time((index) => service.pull(app.id, uuids[index], 0, 0, 1)),
    pull_32_us: await time((index) => service.pull(app.id, uuids[index], 0, 0, 32)),
    // After everything delivered already: what a session does when it is woken for one new message.
    pull_last_us: await time((index) => service.pull(app.id, uuids[index], messages / users - 1, 0, 32)),
  };
  await nest.close();
  return Object.fromEntries(Object.entries(result).map(([name, value]) => [name, Math.round(value)]));
}

/** @param {string} name */
async function databaseUrl(name) {
  if (server === null) return `sqlite:${join(folder, `${name}.sqlite`)}`;
  const { createConnection } = await import('mysql2/promise');
  const connection = await createConnection(server.url);
  await connection.query(`CREATE DATABASE ${name}`);
  await connection.end();
  return `${server.url}/${name}`;
}

try {
  for (const size of sizes) console.log(JSON.stringify({ engine, ...(await measure(size)) }));
} finally {
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
}
