// Bare Fastify with mysql2's prepared statements: no tokens, no rules, no metrics. A baseline for Rollcall.
import Fastify from 'fastify';
import { createPool } from 'mysql2/promise';
import { randomUUID } from 'node:crypto';

const { MYSQL_URL = '', APP_ID = '' } = process.env;
const pool = createPool({ uri: MYSQL_URL, connectionLimit: 10, supportBigNumbers: true });

const columns = 'app_id, username, uuid, id, nickname, activated, created_at, modified_at, password_hash, token_epoch';
const select = `SELECT ${columns} FROM users WHERE app_id = ? AND username = ?`;
const values = '(?, ?, ?, ?, NULL, 1, ?, ?, NULL, 0)';

let lastId = 0;

/** @param {string} username */
function rowOf(username) {
  const now = Date.now();
  lastId = Math.max(lastId + 1, (now - Date.UTC(2020, 0, 1)) * 4096);
  return [APP_ID, username, randomUUID(), lastId, now, now];
}

/** @param {string[]} usernames */
async function add(usernames) {
  const rows = usernames.map(rowOf);
  await pool.execute(`INSERT INTO users (${columns}) VALUES ${rows.map(() => values).join(', ')}`, rows.flat());
  return rows.map(([, username, uuid, , createdAt]) => ({ username, uuid, createdAt }));
}

const fastify = Fastify();
fastify.get('/users/:username', async (request, reply) => {
  const { username } = /** @type {{ username: string }} */ (request.params);
  const [rows] = await pool.execute(select, [APP_ID, username]);
  const [row] = /** @type {object[]} */ (rows);
  if (row === undefined) reply.status(404);
  return row ?? { error: 'not found' };
});

fastify.post('/users', async (request) => {
  const [row] = await add([/** @type {{ username: string }} */ (request.body).username]);
  return row;
});

fastify.post('/users/many', (request) => {
  const body = /** @type {{ username: string }[]} */ (request.body);
  return add(body.map(({ username }) => username));
});

console.log(`listening on ${await fastify.listen({ host: '127.0.0.1', port: 0 })}`);
