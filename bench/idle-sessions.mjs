// The cost of an idle session, and how many clients can log in per second:
// node bench/idle-sessions.mjs [sessions] [logins/s] [minutes]
// Needs a build. The clients run in this process, so on a small machine they use half of the measured CPU.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { WebSocket } from 'ws';

const { ChatTokenBuilder } = createRequire(import.meta.url)('agora-token');
const sessions = Number(process.argv[2] ?? 10_000);
const loginsPerSecond = Number(process.argv[3] ?? 500);
const usersPerCall = 60;
/** Longer than a ping and its answer. */
const minIdleMinutes = 0.6;
const idleMinutes = Math.max(minIdleMinutes, Number(process.argv[4] ?? minIdleMinutes));
const reportEveryMinutes = 5;
const tokenSeconds = (idleMinutes + 30) * 60;

const appId = randomBytes(16).toString('hex');
const certificate = randomBytes(16).toString('hex');
const folder = await mkdtemp(join(tmpdir(), 'rollcall-idle-'));
const server = spawn(process.execPath, ['dist/main.js'], {
  env: {
    PATH: process.env.PATH,
    PORT: '0',
    LOG_LEVEL: 'error',
    DATABASE_URL: `sqlite:${join(folder, 'rollcall.sqlite')}`,
    ...(process.env.REDIS_URL ? { REDIS_URL: process.env.REDIS_URL } : {}),
    BOOTSTRAP_APPS: `bench/idle:${appId}:${certificate}`,
    PASSWORD_COST: 'm=8,t=1,p=1',
    GATEWAY_MAX_PENDING_PER_ADDRESS: '100000',
  },
  stdio: ['ignore', 'pipe', 'inherit'],
});
for (const signal of ['SIGINT', 'SIGTERM'])
  process.once(signal, () => {
    server.kill('SIGKILL');
    process.exit(1);
  });
try {
  const url = await listening();
  const name = (/** @type {number} */ index) => `user${index}`;
  for (let start = 0; start < sessions; start += usersPerCall) await register(url, start, name);
  const before = await measure(url);

  const startedAt = performance.now();
  /** @type {number[]} */
  const latencies = [];
  /** @type {WebSocket[]} */
  const sockets = [];
  let failed = 0;
  for (let index = 0; index < sessions; index++) {
    const due = startedAt + (index * 1000) / loginsPerSecond;
    if (due > performance.now()) await delay(due - performance.now());
    void logIn(url, name(index)).then(
      ({ socket, ms }) => (sockets.push(socket), latencies.push(ms)),
      () => (failed += 1),
    );
  }
  while (sockets.length + failed < sessions) await delay(10);
  const tookMs = performance.now() - startedAt;
  const loggedIn = await measure(url);
  let lost = 0;
  for (const socket of sockets) socket.on('close', () => (lost += 1));
  for (let left = idleMinutes; left > 0; left -= reportEveryMinutes) {
    await delay(Math.min(left, reportEveryMinutes) * 60_000);
    const { rss } = await measure(url);
    const minute = Math.round((performance.now() - startedAt - tookMs) / 60_000);
    console.error(`minute ${minute}: ${sockets.length - lost} open, ${(rss / 2 ** 20).toFixed()} MiB resident`);
  }
  const after = await measure(url);

  latencies.sort((one, other) => one - other);
  const at = (/** @type {number} */ share) => `${latencies[Math.floor((latencies.length - 1) * share)]?.toFixed(1)} ms`;
  const perSession = (/** @type {'rss' | 'heap'} */ kind) =>
    `${((after[kind] - before[kind]) / sockets.length / 1024).toFixed(1)} KiB`;
  console.table({
    [`sessions open after ${idleMinutes} minutes`]: sockets.length - lost,
    'failed logins': failed,
    'logins a second': Math.round((sockets.length / tookMs) * 1000),
    'CPU time per login': `${(((loggedIn.cpuSeconds - before.cpuSeconds) / sockets.length) * 1000).toFixed(2)} ms`,
    'login, p50': at(0.5),
    'login, p99': at(0.99),
    'resident memory per session': perSession('rss'),
    'heap per session': perSession('heap'),
  });
  for (const socket of sockets) socket.terminate();
} finally {
  server.kill('SIGKILL');
  await once(server, 'exit');
  await rm(folder, { recursive: true, force: true });
}

async function listening() {
  let output = '';
  for await (const chunk of server.stdout) {
    output += chunk;
    const url = /Rollcall is ready on (\S+)/.exec(output)?.[1];
    if (url !== undefined) {
      server.stdout.resume();
      return url;
    }
  }
  throw new Error(`Rollcall did not start; is it built?\n${output}`);
}

/** @param {string} url @param {number} start @param {(index: number) => string} name */
async function register(url, start, name) {
  const count = Math.min(usersPerCall, sessions - start);
  const users = Array.from({ length: count }, (_, index) => ({ username: name(start + index), password: 'x' }));
  for (;;) {
    const { status } = await fetch(`${url}/bench/idle/users`, {
      method: 'POST',
      headers: { authorization: `Bearer ${ChatTokenBuilder.buildAppToken(appId, certificate, tokenSeconds)}` },
      body: JSON.stringify(users),
    });
    if (status === 200) return;
    if (status !== 429 && status !== 503) throw new Error(`a registration got ${status}`);
    await delay(100);
  }
}

/** @param {string} url */
async function measure(url) {
  const text = await (await fetch(`${url}/metrics`)).text();
  const read = (/** @type {string} */ metric) => Number(new RegExp(`^${metric} (\\S+)$`, 'm').exec(text)?.[1]);
  return {
    cpuSeconds: read('rollcall_process_cpu_seconds_total'),
    rss: read('rollcall_process_resident_memory_bytes'),
    heap: read('rollcall_nodejs_heap_size_used_bytes') + read('rollcall_nodejs_external_memory_bytes'),
  };
}

/** @param {string} url @param {string} username */
async function logIn(url, username) {
  const startedAt = performance.now();
  const socket = new WebSocket(`${url.replace('http', 'ws')}/bench/idle/ws`, { perMessageDeflate: false });
  const gone = new AbortController();
  socket.on('error', () => undefined);
  socket.once('close', () => gone.abort());
  await once(socket, 'open', { signal: gone.signal });
  const token = ChatTokenBuilder.buildUserToken(appId, certificate, username, tokenSeconds);
  socket.send(JSON.stringify({ type: 'login', token, platform: 'web', device: 'bench' }));
  const [data] = await once(socket, 'message', { signal: gone.signal });
  if (JSON.parse(data.toString()).type !== 'ready') throw new Error('refused');
  return { socket, ms: performance.now() - startedAt };
}
