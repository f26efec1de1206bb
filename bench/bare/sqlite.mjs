// Bare Fastify with prepared statements on SQLite: no tokens, no rules, no metrics. A baseline for Rollcall.
import Sqlite from 'better-sqlite3';
import Fastify from 'fastify';
import { randomUUID } from 'node:crypto';

const { SQLITE_PATH = '', APP_ID = '' } = process.env;
const database = new Sqlite(SQLITE_PATH);
database.pragma('journal_mode = WAL');
database.pragma('synchronous = FULL');

const columns = 'app_id, username, uuid, id, nickname, activated, created_at, modified_at, password_hash, token_epoch';
const select = database.prepare(`SELECT ${columns} FROM users WHERE app_id = ? AND username = ?`);
const insert = database.prepare(`INSERT INTO users (${columns}) VALUES (?, ?, ?, ?, NULL, 1, ?, ?, NULL, 0)`);
const begin = database.prepare('BEGIN IMMEDIATE');
const commit = database.prepare('COMMIT');

let lastId = 0;

/** @param {string} username */
function add(username) {
  const now = Date.now();
  const row = { username, uuid: randomUUID(), createdAt: now };
  lastId = Math.max(lastId + 1, (now - Date.UTC(2020, 0, 1)) * 4096);
  insert.run(APP_ID, username, row.uuid, lastId, now, now);
  return row;
}

const fastify = Fastify();
fastify.get('/users/:username', (request, reply) => {
  const { username } = /** @type {{ username: string }} */ (request.params);
  const row = select.get(APP_ID, username);
  if (row === undefined) reply.status(404);
  return row ?? { error: 'not found' };
});

fastify.post('/users', (request) => add(/** @type {{ username: string }} */ (request.body).username));

fastify.post('/users/many', (request) => {
  const body = /** @type {{ username: string }[]} */ (request.body);
  begin.run();
  const rows = body.map(({ username }) => add(username));
  commit.run();
  return rows;
});

/** @type {{ username: string, answer: (row: object) => void }[]} */
let waiting = [];

// One commit for all requests of one turn of the event loop.
fastify.post('/users/grouped', (request) => {
  const { username } = /** @type {{ username: string }} */ (request.body);
  return new Promise((answer) => {
    if (waiting.push({ username, answer }) > 1) return;
    setImmediate(() => {
      const group = waiting;
      waiting = [];
      begin.run();
      const rows = group.map((one) => add(one.username));
      commit.run();
      group.forEach((one, index) => one.answer(/** @type {object} */ (rows[index])));
    });
  });
});

console.log(`listening on ${await fastify.listen({ host: '127.0.0.1', port: 0 })}`);
