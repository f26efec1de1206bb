// The cost of each route in an app with many users: `node bench/route-costs.mjs [sqlite | mysql://…]`, after `npm run
// build`.
// For each call, one after the other: the median and longest time, and the longest stall of the event loop.
// The source of the table in docs/operations.md.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fillApp, roomIdOf, usernameOf } from '../test/support/fill-app.mjs';

const [url = 'sqlite'] = process.argv.slice(2);
const folder = await mkdtemp(join(tmpdir(), 'rollcall-costs-'));
const databaseUrl = url === 'sqlite' ? `sqlite:${join(folder, 'rollcall.sqlite')}` : url;
const credentials = { appId: 'a'.repeat(32), certificate: 'b'.repeat(32) };
const root = join(import.meta.dirname, '..');
const env = {
  PATH: process.env.PATH,
  PORT: '0',
  LOG_LEVEL: 'error',
  DATABASE_URL: databaseUrl,
  BOOTSTRAP_APPS: `bench/bench:${credentials.appId}:${credentials.certificate}`,
};
const repeats = 7;
const many = 500;

const service = spawn(
  process.execPath,
  ['--import', join(root, 'test/support/event-loop-delay.mjs'), join(root, 'dist/main.js')],
  { env, stdio: ['ignore', 'pipe', 'inherit'] },
);
let output = '';
service.stdout.setEncoding('utf8').on('data', (part) => (output += part));
try {
  let base;
  while ((base = /Rollcall is ready on (http:\S+)/.exec(output)?.[1]) === undefined) await once(service.stdout, 'data');
  await measure(base);
} finally {
  service.kill();
  await rm(folder, { recursive: true, force: true });
}

/** The longest event loop delay since the previous query, in ms. */
async function loopDelay() {
  output = '';
  service.kill('SIGUSR2');
  while (!output.includes('\n')) await once(service.stdout, 'data');
  return Number(output.trim());
}

/** @param {string} base */
async function measure(base) {
  const cli = spawn(process.execPath, [join(root, 'dist/cli.js'), 'app', 'set', 'bench/bench', 'rate_profile=off'], {
    env,
    stdio: 'ignore',
  });
  await once(cli, 'close');
  const { application, access_token: token } = await json(`${base}/bench/bench/token`, {
    method: 'POST',
    body: JSON.stringify({
      grant_type: 'client_credentials',
      client_id: credentials.appId,
      client_secret: credentials.certificate,
    }),
  });
  await fillApp(databaseUrl, application, {
    ...{ users: 100_000, inboxes: 50_000, messages: 4, rooms: 200, members: 2_000 },
  });
  const names = Array.from({ length: many }, (_none, index) => usernameOf(index * 100));
  const agora = { authorization: `Bearer ${token}` };
  const qiscus = { 'qiscus-sdk-app-id': credentials.appId, 'qiscus-sdk-secret': credentials.certificate };
  const message = { from: usernameOf(0), to: names.slice(0, 100), type: 'txt', body: { msg: 'hello' } };
  /** @type {[string, string, string, unknown?][]} */
  const calls = [
    ['GET', '/bench/bench', `/users/${usernameOf(50_000)}`],
    ['GET', '/bench/bench', '/users?limit=100'],
    ['GET', '/bench/bench', `/users/${usernameOf(7)}/offline_msg_count`],
    ['GET', '/bench/bench', `/users/${usernameOf(7)}/status`],
    ['POST', '/bench/bench', '/users/batch/status', { usernames: names.slice(0, 100) }],
    ['GET', '/bench/bench', '/online?limit=100'],
    ['GET', '/bench/bench', '/chatrooms?limit=100'],
    ['GET', '/bench/bench', `/chatrooms/${roomIdOf(1)}`],
    ['GET', '/bench/bench', `/users/${usernameOf(1)}/joined_chatrooms`],
    ['POST', '/bench/bench', '/messages/users', message],
    ['DELETE', '/bench/bench', `/chatrooms/${roomIdOf(199)}`],
    ['DELETE', '/bench/bench', '/users?limit=100'],
    ['GET', '/api/v2.1/rest', '/get_user_list?limit=100'],
    ['GET', '/api/v2.1/rest', '/get_user_list?limit=100&page=500'],
    ['GET', '/api/v2.1/rest', '/get_user_list?limit=100&order_query=name'],
    ['GET', '/api/v2.1/rest', '/get_user_list?limit=100&order_query=name&page=500'],
    ['GET', '/api/v2.1/rest', '/get_user_list?limit=100&order_query=updated_at+desc'],
    ['GET', '/api/v2.1/rest', '/get_user_list?show_all=true'],
    ['GET', '/api/v2.1/rest', '/get_user_list?show_all=true&page=5'],
    ['GET', '/api/v2.1/rest', '/get_unread_users'],
    ['GET', '/api/v2.1/rest', '/get_unread_users?page=490'],
    ['GET', '/api/v2.1/rest', '/get_unread_users?page=1000000'],
    ['GET', '/api/v2.1/rest', '/get_unread_users?end_time=2001-01-01%2000:00:00'],
    ['POST', '/api/v2.1/rest', '/reactivate_users', { user_ids: names }],
    ['DELETE', '/api/v2.1/rest', '/deactivate_users', { user_ids: names }],
  ];
  for (const [method, prefix, path, body] of calls) {
    const times = [];
    const statuses = new Set();
    await loopDelay();
    for (let index = 0; index < repeats; index += 1) {
      const startedAt = performance.now();
      const response = await fetch(`${base}${prefix}${path}`, {
        method,
        headers: prefix === '/bench/bench' ? agora : qiscus,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      await response.arrayBuffer();
      times.push(performance.now() - startedAt);
      statuses.add(response.status);
    }
    const delay = await loopDelay();
    times.sort((one, other) => one - other);
    const [median, longest] = [times[repeats >> 1] ?? 0, times.at(-1) ?? 0];
    console.log(
      `${median.toFixed(1).padStart(8)} ${longest.toFixed(1).padStart(8)} ${delay.toFixed(1).padStart(8)}  ` +
        `${[...statuses].join(',')}  ${method} ${path.slice(0, 70)}`,
    );
  }
}

/** @param {string} address @param {RequestInit} options @returns {Promise<any>} */
async function json(address, options) {
  return (await fetch(address, options)).json();
}
