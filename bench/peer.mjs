// ejabberd with its HTTP API and its own database in a minimal configuration: the peer that Rollcall is compared with.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../scripts/test-servers.mjs';
import { nameOf } from './names.mjs';

const users = 20_000;
const readyWithinMs = 120_000;
const answerWithinMs = 10_000;
const atOnce = 32;
const libraries = ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu', '/usr/lib', '/usr/lib/erlang/lib'];

/** @param {string} folder @returns {Promise<import('./stage.mjs').Server & { stop: () => Promise<void> }>} */
export async function startEjabberd(folder) {
  const library = await findLibrary();
  const port = await freePort();
  const config = join(folder, 'ejabberd.yml');
  await writeFile(config, configuration(port));
  // Erlang itself instead of ejabberdctl, which would switch the user and leave a name server running.
  const child = spawn(
    'erl',
    [
      ...['-noinput', '-mnesia', 'dir', JSON.stringify(join(folder, 'mnesia'))],
      ...['-ejabberd', 'log_rotate_count', '0', '-s', 'ejabberd'],
    ],
    {
      env: {
        PATH: process.env.PATH,
        HOME: folder,
        ERL_LIBS: library,
        EJABBERD_CONFIG_PATH: config,
        EJABBERD_LOG_PATH: join(folder, 'log'),
      },
      stdio: 'ignore',
    },
  );
  const exited = once(child, 'exit');
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const stop = async () => {
    kill();
    await exited;
  };
  const url = `http://127.0.0.1:${port}`;
  try {
    await ready(url, () => child.exitCode !== null);
    await register(url);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, pid: Number(child.pid), databasePids: [], users, tokens: {}, stop };
}

/** Where Erlang finds ejabberd and its dependencies. */
async function findLibrary() {
  for (const library of libraries) {
    const names = existsSync(library) ? await readdir(library) : [];
    if (names.some((name) => name.startsWith('ejabberd-'))) return library;
  }
  throw new Error('--peer needs ejabberd. Debian, Ubuntu: apt-get install --no-install-recommends ejabberd');
}

/** @param {number} port */
const configuration = (port) => `
hosts: [localhost]
loglevel: error
auth_method: [internal]
auth_password_format: plain
listen:
  - port: ${port}
    ip: "127.0.0.1"
    module: ejabberd_http
    request_handlers:
      /api: mod_http_api
api_permissions:
  "the benchmark":
    from: [mod_http_api]
    who: {access: {allow: [{ip: 127.0.0.0/8}]}}
    what: "*"
modules: {mod_admin_extra: {}, mod_http_api: {}, mod_last: {}, mod_offline: {}, mod_privacy: {}, mod_roster: {}}
`;

/** @param {string} url @param {() => boolean} gone */
async function ready(url, gone) {
  for (const until = performance.now() + readyWithinMs; performance.now() < until && !gone(); await delay(100)) {
    const answer = await call(url, 'status', {}).catch(() => null);
    if (answer?.ok) return;
  }
  throw new Error('ejabberd did not start');
}

/** @param {string} url @param {string} command @param {object} body */
const call = (url, command, body) =>
  fetch(`${url}/api/${command}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    // A request that came too early is accepted but never answered.
    signal: AbortSignal.timeout(answerWithinMs),
  });

/** @param {string} url */
async function register(url) {
  let made = 0;
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (let index = made++; index < users; index = made++) {
        const answer = await call(url, 'register', {
          user: nameOf(index),
          host: 'localhost',
          password: 'some password',
        });
        await answer.arrayBuffer();
        if (!answer.ok) throw new Error(`a registration at ejabberd got ${answer.status}`);
      }
    }),
  );
}
