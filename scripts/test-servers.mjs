// Real servers for the tests: the program on this machine, otherwise Debian's package, otherwise Docker.
import { execFile, spawn } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { chmod, cp, mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { createConnection } from 'mysql2/promise';
import { runWithProgress } from './run-with-progress.mjs';

const run = promisify(execFile);

const isRoot = process.getuid?.() === 0;
const READY_WITHIN_MS = 30_000;
const READY_WITHIN_MS_IN_DOCKER = 180_000;
const START_ATTEMPTS = 3;
/**
 * A node of a cluster also receives from another one what it missed; the scripts for that take 5 s on an idle machine.
 */
const JOINED_WITHIN_MS = 120_000;

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
  // A port that is bound but not served yet says nothing, an overloaded server 0xff; 0x0a is protocol version 10.
  isReady: (answer) => answer[4] === 0x0a,
  url: (password, port) => `mysql://root:${password}@127.0.0.1:${port}`,

  async initialise(program, folder, password) {
    const asRoot = isRoot ? ['--user=root'] : [];
    const env = { ...process.env, TMPDIR: folder };
    if (await isMySql(program)) {
      await run(program, ['--no-defaults', '--initialize-insecure', `--datadir=${folder}/data`, ...asRoot], { env });
    } else {
      const installer = findProgram('mariadb-install-db') ?? findProgram('mysql_install_db');
      if (!installer) throw new Error(`${program} is here, but mariadb-install-db is not`);
      await run(installer, ['--no-defaults', `--datadir=${folder}/data`, '--skip-test-db', ...asRoot], { env });
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
    ...mariaDbArguments(folder, port, 'root'),
    `--init-file=${folder}/init.sql`,
    ...((await isMySql(program)) ? ['--mysqlx=OFF'] : []),
  ],
};

/** @param {string} folder @param {number} port @param {string} asRoot the user whom root becomes */
const mariaDbArguments = (folder, port, asRoot) => [
  '--no-defaults',
  `--datadir=${folder}/data`,
  `--port=${port}`,
  '--bind-address=127.0.0.1',
  `--socket=${folder}/sock`,
  `--pid-file=${folder}/pid`,
  '--skip-name-resolve',
  '--innodb-flush-log-at-trx-commit=1',
  '--character-set-server=utf8mb4',
  '--max-connections=500',
  ...(isRoot ? [`--user=${asRoot}`] : []),
];

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

/** @param {...string} options further options of the server; not used with Docker */
export const startMariaDb = (...options) =>
  start({
    ...mariaDb,
    arguments: async (program, folder, port) => [...(await mariaDb.arguments(program, folder, port)), ...options],
  });
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

const GALERA_NODES = [0, 1, 2];
const GALERA_PACKAGES = ['mariadb-server', 'galera-4', 'rsync'];
const GALERA_PROVIDERS = ['galera', 'galera-4', ''].flatMap((folder) =>
  ['/usr/lib', '/usr/lib64'].map((lib) => join(lib, folder, 'libgalera_smm.so')),
);
/** Needed by rsync if root starts the cluster: a node that runs as root cannot hand over its state. */
const GALERA_USER = 'mysql';

/** Three nodes of a MariaDB Galera cluster, with this machine's own programs or Debian's packages. */
export async function startGalera() {
  const reasons = [];
  for (const prepare of [async () => {}, () => installFromDebian(GALERA_PACKAGES)]) {
    try {
      await prepare();
      return await formGalera(await findGalera());
    } catch (error) {
      reasons.push(error instanceof Error ? error.message : String(error));
    }
  }
  throw new Error(
    `The tests need a Galera cluster, and it could not be started:\n${reasons.map((reason) => `- ${reason}`).join('\n')}\n` +
      `- Docker is not tried for a cluster\n` +
      `Install it (Debian, Ubuntu: apt-get install ${GALERA_PACKAGES.join(' ')}), or name the nodes of a running one, ` +
      `with commas between them, with TEST_GALERA_URLS.`,
  );
}

async function findGalera() {
  const program = findProgram('mariadbd');
  const provider = GALERA_PROVIDERS.find((path) => existsSync(path));
  if (!program || !provider) throw new Error(`no ${program ? 'libgalera_smm.so in /usr/lib' : 'mariadbd'} here`);
  if (!findProgram('rsync')) throw new Error('no rsync on the PATH, with which a node gets the state of another');
  if (isRoot) {
    await run('id', [GALERA_USER]).catch(() => {
      throw new Error(`no user ${GALERA_USER}, as whom root would run Galera`);
    });
  }
  return { program, provider };
}

/** @param {{ program: string, provider: string }} found */
async function formGalera({ program, provider }) {
  const folder = await mkdtemp(join(tmpdir(), 'rollcall-'));
  const folderOf = (/** @type {number} */ index) => join(folder, `n${index}`);
  /** @type {(Awaited<ReturnType<typeof launch>> | undefined)[]} */
  const running = [];
  const kill = async (/** @type {number} */ index) => {
    await running[index]?.kill();
    running[index] = undefined;
  };
  const stop = async () => {
    await Promise.all(GALERA_NODES.map(kill));
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const password = randomBytes(12).toString('hex');
    const ports = await Promise.all(
      GALERA_NODES.map(async () => ({
        sql: await quietPort(),
        group: await quietPort(),
        ist: await quietPort(),
        sst: await quietPort(),
      })),
    );
    const portsOf = (/** @type {number} */ index) => /** @type {(typeof ports)[number]} */ (ports[index]);
    const urls = ports.map(({ sql }) => mariaDb.url(password, sql));
    /** @param {number} index @param {...string} more @returns {Kind} */
    const node = (index, ...more) => ({
      ...mariaDb,
      arguments: async (_program, nodeFolder, port) => [
        ...mariaDbArguments(nodeFolder, port, GALERA_USER),
        ...['--binlog-format=ROW', '--innodb-autoinc-lock-mode=2', '--wsrep-on=ON', `--wsrep-provider=${provider}`],
        ...['--wsrep-cluster-name=rollcall', `--wsrep-node-name=n${index}`, '--wsrep-sst-method=rsync'],
        `--wsrep-cluster-address=gcomm://${ports.map(({ group }) => `127.0.0.1:${group}`).join(',')}`,
        `--wsrep-node-address=127.0.0.1:${portsOf(index).group}`,
        `--wsrep-sst-receive-address=127.0.0.1:${portsOf(index).sst}`,
        `--wsrep-provider-options=${[
          `gmcast.listen_addr=tcp://127.0.0.1:${portsOf(index).group}`,
          `ist.recv_addr=127.0.0.1:${portsOf(index).ist}`,
          // The default of 5 s is meant for networks; a dead process on the same machine is noticed sooner.
          'gcache.size=32M',
          ...['evs.suspect_timeout=PT2S', 'evs.inactive_check_period=PT0.25S', 'evs.keepalive_period=PT0.25S'],
        ].join(';')}`,
        ...more,
      ],
    });
    const begin = async (/** @type {number} */ index, /** @type {string[]} */ ...more) => {
      const { sql } = portsOf(index);
      running[index] = await launch(node(index, ...more), program, folderOf(index), sql, JOINED_WITHIN_MS);
    };
    const own = () => (isRoot ? run('chown', ['-R', GALERA_USER, folder]) : undefined);

    // One node begins the cluster's history and stops; the others are copies of it.
    await mkdir(join(folderOf(0), 'data'), { recursive: true });
    await chmod(folder, 0o755);
    await mariaDb.initialise(program, folderOf(0), password);
    await own();
    await begin(0, '--wsrep-new-cluster', `--init-file=${folderOf(0)}/init.sql`);
    await running[0]?.kill('SIGTERM');
    await rm(join(folderOf(0), 'data/galera.cache'));
    for (const index of GALERA_NODES.slice(1)) await cp(folderOf(0), folderOf(index), { recursive: true });
    // Then all three start as after a power cut of the whole cluster: they know each other, have the same state, and
    // none waits for a state transfer, which takes 10 s.
    const members = GALERA_NODES.map((index) => `0000000${index}-0000-1000-8000-000000000000`);
    for (const index of GALERA_NODES)
      await writeFile(
        join(folderOf(index), 'data/gvwstate.dat'),
        `my_uuid: ${members[index]}\n#vwbeg\nview_id: 3 ${members[0]} 3\nbootstrap: 0\n` +
          `${members.map((member) => `member: ${member} 0\n`).join('')}#vwend\n`,
      );
    await own();
    await Promise.all(GALERA_NODES.map((index) => begin(index)));
    for (const url of urls) await joined(url);
    return {
      urls,
      kill,
      stop,
      pause(/** @type {number} */ index) {
        process.kill(/** @type {number} */ (running[index]?.pid), 'SIGSTOP');
      },
      async resume(/** @type {number} */ index) {
        process.kill(/** @type {number} */ (running[index]?.pid), 'SIGCONT');
        const url = /** @type {string} */ (urls[index]);
        // For about a second it does not know that the others continued without it.
        await inState(url, (state) => state !== 'Synced');
        await joined(url);
      },
      async start(/** @type {number} */ index) {
        // As the distributions' own units do: a node's position is in its tables, and the others send the rest.
        const recover = await node(index, '--wsrep-recover').arguments(program, folderOf(index), portsOf(index).sql);
        const { stderr } = await run(program, recover);
        const position = /WSREP: Recovered position: (\S+)/.exec(stderr)?.[1];
        await begin(index, ...(position ? [`--wsrep-start-position=${position}`] : []));
        await joined(/** @type {string} */ (urls[index]));
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Waits until the node has caught up with its cluster; before that, it refuses every statement. @param {string} url */
function joined(url) {
  return inState(url, (state) => state === 'Synced');
}

/** @param {string} url @param {(state: string | undefined) => boolean} isIt */
async function inState(url, isIt) {
  for (const until = performance.now() + JOINED_WITHIN_MS; performance.now() < until; await delay(50)) {
    const connection = await createConnection(url).catch(() => null);
    try {
      const [rows] = (await connection?.query("SHOW STATUS LIKE 'wsrep_local_state_comment'")) ?? [[]];
      if (isIt(/** @type {{ Value: string }[]} */ (rows)[0]?.Value)) return;
    } finally {
      connection?.destroy();
    }
  }
  throw new Error(`a node of the cluster did not catch up within ${JOINED_WITHIN_MS / 1000} s`);
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
  // A short path: that of a socket may have at most 107 bytes.
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
      // Another process may have taken the port after it was found to be free.
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
async function launch(kind, program, folder, port, withinMs = READY_WITHIN_MS) {
  const logPath = join(folder, 'log');
  const log = await open(logPath, 'w');
  const child = spawn(program, await kind.arguments(program, folder, port), {
    stdio: ['ignore', log.fd, log.fd],
    // Temporary tables are named after process ids, so two servers that start at the same time clash in one folder.
    env: { ...process.env, TMPDIR: folder },
  });
  const exited = new Promise((resolve) => child.once('close', resolve).once('error', resolve));
  await log.close();
  if (child.pid === undefined) throw new Error(`${program} could not be started`);
  const pid = child.pid;
  const dismissGuard = guard('kill -9 "$1"; rm -rf "$2"', [String(pid), folder]);
  child.unref();
  // The data is usually thrown away, so an orderly shutdown gains nothing. This also ends a suspended process.
  const kill = async (/** @type {NodeJS.Signals} */ signal = 'SIGKILL') => {
    child.ref();
    child.kill(signal);
    await exited;
    dismissGuard();
  };
  const gone = () => child.exitCode !== null || child.signalCode !== null;
  if (await answers(kind, port, withinMs, gone)) return { pid, kill };
  await kill();
  const end = (await readFile(logPath, 'utf8')).trimEnd().split('\n').slice(-15).join('\n  ');
  throw new Error(`${program} did not start:\n  ${end}`);
}

/**
 * Stops the server even if this process is killed: the guard's only link to us is a pipe, which then closes.
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

/** The same, outside of the range used for outgoing connections: it is still free when a server comes back. */
async function quietPort() {
  for (;;) {
    const server = createServer().listen(randomInt(15_000, 32_000), '127.0.0.1');
    try {
      await once(server, 'listening');
    } catch {
      continue;
    }
    const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
    server.close();
    await once(server, 'close');
    return port;
  }
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
  await installFromDebian([kind.debianPackage]);
  return onThisMachine(kind);
}

/** @param {string[]} packages */
async function installFromDebian(packages) {
  const release = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '';
  if (!isRoot || !/^ID(_LIKE)?=.*(debian|ubuntu)/m.test(release)) {
    throw new Error(`not root on Debian or Ubuntu, so ${packages.join(', ')} was not installed`);
  }
  process.stderr.write(`Installing ${packages.join(', ')} (apt-get) …\n`);
  const install = ['install', '-y', '--no-install-recommends', ...packages];
  for (const args of [['update'], install]) {
    const { ok, output } = await runWithProgress('apt-get', args, {
      // The package's own service would take the standard port; runlevel 1 prevents it from being started.
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
    await installFromDebian([debianPackage]);
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
