// `npm test`: starts the real servers, then the suites of jest.config.mjs. Arguments after `--` go to jest.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { onSignal } from './on-signal.mjs';
import { bundleTestPackages } from './test-packages.mjs';
import { startGalera, startMariaDb, startRedis } from './test-servers.mjs';

const args = process.argv.slice(2);
const selectedEverything = args.length === 0;
/** The servers used by projects that do not need both MariaDB and Redis. */
const SERVERS_OF = /** @type {Record<string, string[]>} */ ({
  unit: [],
  sqlite: [],
  runtime: [],
  galera: ['Galera', 'Redis'],
  sql: ['MariaDB'],
});
/** On three database nodes every suite takes several times as long, so it runs only by its name. */
const LEFT_OUT = 'galera';

/** @type {{ stop(): Promise<void> }[]} */
const servers = [];
/** @type {import('node:child_process').ChildProcess | undefined} */
let jest;
let interruptedBy = 0;

onSignal(['SIGINT', 'SIGTERM', 'SIGHUP'], (signal) => {
  const number = constants.signals[signal];
  // Between the servers and jest there is nothing to wait for: the servers' guards clean up when this process ends.
  if (!jest || interruptedBy) process.exit(128 + number);
  interruptedBy = number;
  jest.kill(signal);
  setTimeout(() => jest?.kill('SIGKILL'), 5_000).unref();
});

/** The projects that were requested; null if none was named. */
function selectedProjects() {
  const option = args.indexOf('--selectProjects');
  if (option < 0) return null;
  const rest = args.slice(option + 1);
  const end = rest.findIndex((arg) => arg.startsWith('-'));
  return end < 0 ? rest : rest.slice(0, end);
}

function neededServers() {
  return new Set((selectedProjects() ?? ['']).flatMap((name) => SERVERS_OF[name] ?? ['MariaDB', 'Redis']));
}

/**
 * @template {{ stop(): Promise<void> }} Server
 * @param {string} variable @param {string} name @param {() => Promise<Server>} startServer
 * @param {(server: Server) => string} urlOf
 */
async function serverUrl(variable, name, startServer, urlOf) {
  const given = process.env[variable];
  if (given || !neededServers().has(name)) return given;
  const startedAt = performance.now();
  const server = await startServer();
  servers.push(server);
  process.stderr.write(`${name} is ready (${((performance.now() - startedAt) / 1000).toFixed(1)} s).\n`);
  return urlOf(server);
}

/** @param {string} outputFile @param {NodeJS.ProcessEnv} env @returns {Promise<number>} */
function runJest(outputFile, env) {
  return new Promise((resolve, reject) => {
    jest = spawn(
      process.execPath,
      [
        ...['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'],
        ...['node_modules/jest/bin/jest.js', '--json', `--outputFile=${outputFile}`, ...args],
      ],
      { env, stdio: 'inherit' },
    );
    jest.once('error', reject);
    jest.once('close', (code) => resolve(interruptedBy ? 128 + interruptedBy : (code ?? 1)));
  });
}

const folder = await mkdtemp(join(tmpdir(), 'rollcall-jest-'));
const outputFile = join(folder, 'results.json');
let exitCode = 1;
let summary = '0 passed, 0 failed';
try {
  if (selectedProjects() === null) {
    args.push('--ignoreProjects', LEFT_OUT);
    process.stderr.write(
      `Left out: every suite on a Galera cluster. To run it: npm test -- --selectProjects ${LEFT_OUT}, or npm run test:faults -- --long\n`,
    );
  }
  await bundleTestPackages();
  // In sequence: apt-get, if it is needed, runs only once at a time.
  const urls = {
    TEST_DATABASE_URL: await serverUrl('TEST_DATABASE_URL', 'MariaDB', startMariaDb, ({ url }) => url),
    TEST_GALERA_URLS: await serverUrl('TEST_GALERA_URLS', 'Galera', startGalera, (galera) => galera.urls.join(',')),
    TEST_REDIS_URL: await serverUrl('TEST_REDIS_URL', 'Redis', startRedis, ({ url }) => url),
  };
  exitCode = await runJest(outputFile, { ...process.env, NODE_ENV: 'test', ...urls });
  if (existsSync(outputFile)) {
    const results = JSON.parse(readFileSync(outputFile, 'utf8'));
    // A file that cannot even be loaded has no tests to count, and must not look like no failures.
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    const skipped = results.numPendingTests + results.numTodoTests;
    summary = `${results.numPassedTests} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ''}`;
    if (selectedEverything && results.numPassedTests + failed === 0) exitCode ||= 1;
  }
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
} finally {
  await Promise.allSettled([...servers.map((server) => server.stop()), rm(folder, { recursive: true, force: true })]);
}
process.stdout.write(`${summary}\n`);
process.exitCode = exitCode;
