// Real servers for the tests: the program on this machine, else Debian's package, else Docker.
import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { runWithProgress } from './run-with-progress.mjs';

const run = promisify(execFile);

const isRoot = process.getuid?.() === 0;
const READY_WITHIN_MS = 30_000;
const READY_WITHIN_MS_IN_DOCKER = 180_000;
const START_ATTEMPTS = 3;

/**
 * @typedef {object} Kind
 * @property {string} name
 * @property {string[]} programs in order of preference
 * @property {string} debianPackage
 * @property {string} image
 * @property {string[]} imageArguments
 * @property {(password: string) => string[]} imageEnvironment
 * @property {number} imagePort
 * @property {string} greeting what to send so that the server answers; empty when it speaks first
 * @property {(answer: Buffer) => boolean} isReady
 * @property {(password: string, port: number) => string} url
 * @property {(program: string, folder: string, password: string) => Promise<void>} initialise
 * @property {(program: string, folder: string, port: number) => Promise<string[]>} arguments
 */

/** @type {Kind} */
const mariaDb = {
  name: 'MariaDB',
  programs: ['mariadbd', 'mysqld'],
  debianPackage: 'mariadb-server',
  image: 'mariadb:11.4',
  imageArguments: ['--innodb-flush-log-at-trx-commit=1', '--character-set-server=utf8mb4', '--max-connections=500'],
  imageEnvironment: (password) => [`MARIADB_ROOT_PASSWORD=${password}`],
  imagePort: 3306,
  greeting: '',
  // A port that is bound but not served yet says nothing, an overloaded server 0xff; 0x0a is protocol 10.
  isReady: (answer) => answer[4] === 0x0a,
  url: (password, port) => `mysql://root:${password}@127.0.0.1:${port}`,

  async initialise(program, folder, password) {
    const asRoot = isRoot ? ['--user=root'] : [];
    if (await isMySql(program)) {
      await run(program, ['--no-defaults', '--initialize-insecure', `--datadir=${folder}/data`, ...asRoot]);
    } else {
      const installer = findProgram('mariadb-install-db') ?? findProgram('mysql_install_db');
      if (!installer) throw new Error(`${program} is here, but mariadb-install-db is not`);
      await run(installer, ['--no-defaults', `--datadir=${folder}/data`, '--skip-test-db', ...asRoot]);
    }
    await writeFile(
      join(folder, 'init.sql'),
      `CREATE USER IF NOT EXISTS 'root'@'%' IDENTIFIED BY '${password}';\n` +
        `CREATE USER IF NOT EXISTS 'root'@'127.0.0.1' IDENTIFIED BY '${password}';\n` +
        `ALTER USER 'root'@'localhost' IDENTIFIED BY '${password}';\n` +
        `GRANT ALL PRIVILEGES ON *.* TO 'root'@'%' WITH GRANT OPTION;\n` +
        `GRANT ALL PRIVILEGES ON *.* TO 'root'@'127.0.0.1' WITH GRANT OPTION;\n`,
      { mode: 0o600 },
    );
  },

  arguments: async (program, folder, port) => [
    '--no-defaults',
    `--datadir=${folder}/data`,
    `--init-file=${folder}/init.sql`,
    `--port=${port}`,
    '--bind-address=127.0.0.1',
    `--socket=${folder}/sock`,
    `--pid-file=${folder}/pid`,
    '--skip-name-resolve',
    '--innodb-flush-log-at-trx-commit=1',
    '--character-set-server=utf8mb4',
    '--max-connections=500',
    ...((await isMySql(program)) ? ['--mysqlx=OFF'] : []),
    ...(isRoot ? ['--user=root'] : []),
  ],
};

/** @type {Kind} */
const redis = {
  name: 'Redis',
  programs: ['redis-server', 'valkey-server'],
  debianPackage: 'redis-server',
  image: 'redis:7',
  imageArguments: ['redis-server', '--save', '', '--appendonly', 'no'],
  imageEnvironment: () => [],
  imagePort: 6379,
  greeting: 'PING\r\n',
  isReady: (answer) => answer.toString().startsWith('+PONG'),
  url: (_password, port) => `redis://127.0.0.1:${port}`,
  initialise: async () => {},
  arguments: async (_program, folder, port) => [
    ...['--port', String(port), '--bind', '127.0.0.1', '--dir', `${folder}/data`],
    ...['--save', '', '--appendonly', 'no', '--daemonize', 'no'],
  ],
};

export const startMariaDb = () => start(mariaDb);
export const startRedis = () => start(redis);

/** @param {Kind} kind */
async function start(kind) {
  const reasons = [];
  for (const way of [onThisMachine, fromDebian, inDocker]) {
    try {
      return await way(kind);
    } catch (error) {
      reasons.push(error instanceof Error ? error.message : String(error));
    }
  }
  throw new Error(
    `The tests need ${kind.name}, and it could not be started:\n${reasons.map((reason) => `- ${reason}`).join('\n')}\n` +
      `Install it (Debian, Ubuntu: apt-get install ${kind.debianPackage}), or start Docker, or name a running server ` +
      `with ${kind === redis ? 'TEST_REDIS_URL' : 'TEST_DATABASE_URL'}.`,
  );
}

/** @param {string} name */
function findProgram(name) {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin', '/opt/homebrew/bin'];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

/** @param {Kind} kind */
const programOf = (kind) => kind.programs.map(findProgram).find((path) => path !== undefined);

/** @param {string} program mysqld may be either of the two */
async function isMySql(program) {
  return !(await run(program, ['--no-defaults', '--version'])).stdout.includes('MariaDB');
}

/** @param {Kind} kind */
async function onThisMachine(kind) {
  const program = programOf(kind);
  if (!program) throw new Error(`no ${kind.programs.join(' or ')} on the PATH or in /usr/sbin`);
  // A short path: a socket's may have at most 107 bytes.
  const folder = await mkdtemp(join(tmpdir(), 'rollcall-'));
  try {
    const password = randomBytes(12).toString('hex');
    await mkdir(join(folder, 'data'));
    await kind.initialise(program, folder, password);
    return await startProcess(kind, program, folder, password);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

/** @param {Kind} kind @param {string} program @param {string} folder @param {string} password */
async function startProcess(kind, program, folder, password) {
  let port = 0;
  /** @type {Awaited<ReturnType<typeof launch>>} */
  let current;
  for (let attempt = 1; ; attempt++) {
    port = await freePort();
    try {
      current = await launch(kind, program, folder, port);
      break;
    } catch (error) {
      // Another process may have taken the port between its being found and its being used.
      if (attempt === START_ATTEMPTS) throw error;
    }
  }
  return {
    url: kind.url(password, port),
    get pid() {
      return current.pid;
    },
    async restart() {
      await current.kill();
      current = await launch(kind, program, folder, port);
    },
    async stop() {
      await current.kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** @param {Kind} kind @param {string} program @param {string} folder @param {number} port */
async function launch(kind, program, folder, port) {
  const logPath = join(folder, 'log');
  const log = await open(logPath, 'w');
  const child = spawn(program, await kind.arguments(program, folder, port), { stdio: ['ignore', log.fd, log.fd] });
  const exited = new Promise((resolve) => child.once('close', resolve).once('error', resolve));
  await log.close();
  if (child.pid === undefined) throw new Error(`${program} could not be started`);
  const pid = child.pid;
  const dismissGuard = guard('kill -9 "$1"; rm -rf "$2"', [String(pid), folder]);
  child.unref();
  const kill = async () => {
    // The data is thrown away, so nothing is gained by an orderly end. It also ends a process that is stopped.
    child.ref();
    child.kill('SIGKILL');
    await exited;
    dismissGuard();
  };
  const gone = () => child.exitCode !== null || child.signalCode !== null;
  if (await answers(kind, port, READY_WITHIN_MS, gone)) return { pid, kill };
  await kill();
  const end = (await readFile(logPath, 'utf8')).trimEnd().split('\n').slice(-15).join('\n  ');
  throw new Error(`${program} did not start:\n  ${end}`);
}

/**
 * Ends the server even when this process is killed: the guard's only link to us is a pipe, which then closes.
 *
 * @param {string} command @param {string[]} parameters
 */
function guard(command, parameters) {
  const sentry = spawn('sh', ['-c', `read -r _; ${command}`, 'guard', ...parameters], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  sentry.unref();
  /** @type {import('node:net').Socket} */ (sentry.stdin).unref();
  return () => sentry.kill('SIGKILL');
}

/** A port of the loopback address that nobody listens on. */
export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  server.close();
  await once(server, 'close');
  return port;
}

/** @param {Kind} kind @param {number} port @param {number} withinMs @param {() => boolean} gone */
async function answers(kind, port, withinMs, gone) {
  for (const until = performance.now() + withinMs; performance.now() < until && !gone();) {
    if (await answersOnce(kind, port)) return !gone();
    await delay(20);
  }
  return false;
}

/** @param {Kind} kind @param {number} port @returns {Promise<boolean>} */
function answersOnce(kind, port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const settle = (/** @type {boolean} */ ready) => {
      socket.destroy();
      resolve(ready);
    };
    socket.setTimeout(1_000, () => settle(false));
    socket.once('error', () => settle(false));
    socket.once('close', () => resolve(false));
    socket.once('connect', () => socket.write(kind.greeting));
    socket.once('data', (answer) => settle(kind.isReady(answer)));
  });
}

/** @param {Kind} kind */
async function fromDebian(kind) {
  if (programOf(kind)) throw new Error(`Debian's package ${kind.debianPackage} is installed already`);
  await installFromDebian(kind.debianPackage);
  return onThisMachine(kind);
}

/** @param {string} debianPackage */
async function installFromDebian(debianPackage) {
  const release = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '';
  if (!isRoot || !/^ID(_LIKE)?=.*(debian|ubuntu)/m.test(release)) {
    throw new Error("not root on Debian or Ubuntu, so Debian's package was not tried");
  }
  process.stderr.write(`Installing ${debianPackage} (apt-get) …\n`);
  const install = ['install', '-y', '--no-install-recommends', debianPackage];
  for (const args of [['update'], install]) {
    const { ok, output } = await runWithProgress('apt-get', args, {
      // The package's own service would take the standard port; runlevel 1 keeps it from being started.
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' },
      doing: () => `apt-get ${args.join(' ')}`,
    });
    if (!ok && args === install) throw new Error(`apt-get ${args.join(' ')} failed:\n  ${output.trim().slice(-800)}`);
  }
}

/** @param {string} name @param {string} debianPackage */
export async function ensureProgram(name, debianPackage = name) {
  const here = findProgram(name);
  if (here) return here;
  let reason = `Debian's package ${debianPackage} has no ${name}`;
  try {
    await installFromDebian(debianPackage);
  } catch (error) {
    reason = error instanceof Error ? error.message : String(error);
  }
  const installed = findProgram(name);
  if (installed) return installed;
  throw new Error(
    `The tests need ${name}, and it is not on the PATH:\n- ${reason}\n` +
      `Install it (Debian, Ubuntu: apt-get install ${debianPackage}).`,
  );
}

/** @param {Kind} kind */
async function inDocker(kind) {
  const docker = async (/** @type {string[]} */ ...args) => (await run('docker', args)).stdout.trim();
  try {
    await docker('version', '--format', '{{.Server.Version}}');
  } catch {
    throw new Error('Docker is not installed, or its daemon is not running');
  }
  process.stderr.write(`Fetching ${kind.image} (Docker) …\n`);
  const pull = await runWithProgress('docker', ['pull', kind.image], { doing: () => `docker pull ${kind.image}` });
  if (!pull.ok) throw new Error(`docker pull ${kind.image} failed:\n  ${pull.output.trim().slice(-800)}`);

  const password = randomBytes(12).toString('hex');
  const port = await freePort();
  const environment = kind.imageEnvironment(password).flatMap((setting) => ['--env', setting]);
  const publish = ['--publish', `127.0.0.1:${port}:${kind.imagePort}`];
  const id = await docker('run', '--detach', ...publish, ...environment, kind.image, ...kind.imageArguments);
  const dismissGuard = guard('docker rm --force --volumes "$1"', [id]);
  const ready = () => answers(kind, port, READY_WITHIN_MS_IN_DOCKER, () => false);
  const inspectPid = async () => Number(await docker('inspect', '--format', '{{.State.Pid}}', id));
  const stop = async () => {
    await docker('rm', '--force', '--volumes', id);
    dismissGuard();
  };
  if (!(await ready())) {
    const log = await run('docker', ['logs', '--tail', '15', id]);
    await stop();
    throw new Error(`${kind.image} did not answer in Docker:\n  ${log.stdout}${log.stderr}`);
  }
  let pid = await inspectPid();
  return {
    url: kind.url(password, port),
    get pid() {
      return pid;
    },
    async restart() {
      await docker('kill', id);
      await docker('start', id);
      if (!(await ready())) throw new Error(`${kind.image} did not come back after a restart`);
      pid = await inspectPid();
    },
    stop,
  };
}
