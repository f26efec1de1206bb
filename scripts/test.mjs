// `npm test`: the real servers, then every suite of jest.config.mjs. What follows `--` goes to jest.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startMariaDb, startRedis } from './test-servers.mjs';

const args = process.argv.slice(2);
const PROJECTS_WITHOUT_SERVERS = ['unit'];

/** @type {{ stop(): Promise<void> }[]} */
const servers = [];
/** @type {import('node:child_process').ChildProcess | undefined} */
let jest;
let interruptedBy = 0;

for (const [signal, number] of /** @type {[NodeJS.Signals, number][]} */ ([
  ['SIGINT', 2],
  ['SIGTERM', 15],
  ['SIGHUP', 1],
])) {
  process.on(signal, () => {
    // Between the servers and jest there is nothing to wait for: the servers' guards clean up when this process ends.
    if (!jest || interruptedBy) process.exit(128 + number);
    interruptedBy = number;
    jest.kill(signal);
    setTimeout(() => jest?.kill('SIGKILL'), 5_000).unref();
  });
}

function needsServers() {
  const option = args.indexOf('--selectProjects');
  if (option < 0) return true;
  const rest = args.slice(option + 1);
  const end = rest.findIndex((arg) => arg.startsWith('-'));
  return !(end < 0 ? rest : rest.slice(0, end)).every((name) => PROJECTS_WITHOUT_SERVERS.includes(name));
}

/** @param {string} variable @param {string} name @param {typeof startMariaDb} startServer */
async function serverUrl(variable, name, startServer) {
  const given = process.env[variable];
  if (given) return given;
  const startedAt = performance.now();
  const server = await startServer();
  servers.push(server);
  process.stderr.write(`${name} is ready (${((performance.now() - startedAt) / 1000).toFixed(1)} s).\n`);
  return server.url;
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
  const urls = {};
  if (needsServers()) {
    // One after the other: apt-get, if it is needed, lets only one through.
    Object.assign(urls, {
      TEST_DATABASE_URL: await serverUrl('TEST_DATABASE_URL', 'MariaDB', startMariaDb),
      TEST_REDIS_URL: await serverUrl('TEST_REDIS_URL', 'Redis', startRedis),
    });
  }
  exitCode = await runJest(outputFile, { ...process.env, NODE_ENV: 'test', ...urls });
  if (existsSync(outputFile)) {
    const results = JSON.parse(readFileSync(outputFile, 'utf8'));
    // A file that cannot even be loaded has no tests to count, and must not look like none failing.
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    const skipped = results.numPendingTests + results.numTodoTests;
    summary = `${results.numPassedTests} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ''}`;
    if (args.length === 0 && results.numPassedTests + failed === 0) exitCode ||= 1;
  }
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
} finally {
  await Promise.allSettled([...servers.map((server) => server.stop()), rm(folder, { recursive: true, force: true })]);
}
process.stdout.write(`${summary}\n`);
process.exitCode = exitCode;
