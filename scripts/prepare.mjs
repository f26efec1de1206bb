// Runs before every command, on a clone where nothing is installed yet: Node's own modules only, and silence when
// there is nothing to do. Everything goes to stderr, because stdout belongs to the command (`npm run -s cli -- token`).
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { runWithProgress } from './run-with-progress.mjs';

process.chdir(join(dirname(fileURLToPath(import.meta.url)), '..'));

const LOCK = '.prepare.lock';
const LOCK_ABANDONED_AFTER_MS = 30_000;
const INSTALL_STAMP = 'node_modules/.rollcall-install';
const BUILD_STAMP = 'dist/.rollcall-build';
const BUNDLER = 'scripts/bundle.mjs';
const TESTS = /[.-](spec|contract)\.ts$/;

const rebuild = process.argv.includes('--rebuild');
const build = rebuild || process.argv.includes('--build');

/** @param {string} line */
const say = (line) => process.stderr.write(`${line}\n`);

/** @param {string} message @returns {never} */
function fail(message) {
  say(message);
  process.exit(1);
}

/** @param {string} path */
const readIfPresent = (path) => (existsSync(path) ? readFileSync(path, 'utf8') : '');

/** @param {string[]} paths */
function digest(paths) {
  const hash = createHash('sha256');
  for (const path of paths) hash.update(`${path}\0${readIfPresent(path)}\0`);
  return hash.digest('hex');
}

function checkNode() {
  const { engines } = JSON.parse(readFileSync('package.json', 'utf8'));
  const [wantedMajor = 0, wantedMinor = 0] = engines.node.match(/\d+/g).map(Number);
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < wantedMajor || (major === wantedMajor && minor < wantedMinor)) {
    fail(
      `Rollcall needs Node.js ${engines.node}; this is ${process.versions.node}.\n` +
        'Install a newer one from https://nodejs.org, or with a version manager: nvm install',
    );
  }
}

// npm rewrites its own lock in node_modules whenever it changes the tree, so a pruned or half-updated tree shows too.
function installFingerprint() {
  const nodeMajor = process.versions.node.split('.')[0];
  const tree = digest(['package-lock.json', 'node_modules/.package-lock.json']);
  return `${tree} node${nodeMajor} ${process.platform}-${process.arch}`;
}

const installed = () => readIfPresent(INSTALL_STAMP) === installFingerprint();

// An addon that was compiled for another Node, or not at all (npm's ignore-scripts), shows only when it is used.
function nativeAddonLoads() {
  if (!existsSync('node_modules/better-sqlite3')) return true;
  const script = "new (require('better-sqlite3'))(':memory:').close()";
  return spawnSync(process.execPath, ['-e', script], { stdio: 'ignore' }).status === 0;
}

// After somebody's own `npm ci` or `npm install` the tree is right and only our stamp is missing.
function installedByHand() {
  const tree = readIfPresent('node_modules/.package-lock.json');
  if (!tree) return false;
  const present = JSON.parse(tree).packages;
  const wanted = Object.entries(JSON.parse(readFileSync('package-lock.json', 'utf8')).packages);
  const matches = wanted.every(
    ([path, { version, optional }]) =>
      !path.startsWith('node_modules/') || (present[path] ? present[path].version === version : optional),
  );
  return matches && nativeAddonLoads();
}

async function install() {
  rmSync(INSTALL_STAMP, { force: true });
  if (!installedByHand()) {
    say(
      'Installing the packages (npm ci). The first time takes about 90 s, on a busy machine a few minutes, as better-sqlite3 may have to be compiled.',
    );
    const npm = process.env.npm_execpath?.endsWith('npm-cli.js')
      ? { command: process.execPath, args: [process.env.npm_execpath] }
      : { command: process.platform === 'win32' ? 'npm.cmd' : 'npm', args: [] };
    const { ok, output, seconds } = await runWithProgress(
      npm.command,
      // NODE_ENV=production would leave out the compiler that the build needs.
      [...npm.args, 'ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'],
      {
        env: { ...process.env, SCARF_ANALYTICS: 'false' },
        doing: () =>
          existsSync('node_modules/better-sqlite3/package.json') &&
          !existsSync('node_modules/better-sqlite3/build/Release/better_sqlite3.node')
            ? 'building better-sqlite3'
            : 'installing packages',
      },
    );
    if (!ok || !nativeAddonLoads()) {
      fail(
        `${output.trimEnd()}\n\nThe installation ${ok ? 'left better-sqlite3 unusable' : 'failed'} after ${seconds} s.\n` +
          '- If the network failed: check the connection to the npm registry and run the command again.\n' +
          '- If better-sqlite3 did not compile: it needs Python 3, make and a C++ compiler\n' +
          '  (Debian, Ubuntu: apt-get install python3 make g++; macOS: xcode-select --install).\n' +
          '- If install scripts are switched off (npm config get ignore-scripts): allow them for this project.',
      );
    }
    say(`Installed in ${seconds} s.`);
  }
  writeFileSync(INSTALL_STAMP, installFingerprint());
}

/** @param {string} folder @returns {string[]} */
const filesUnder = (folder) =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesUnder(path) : [path];
  });

function buildFingerprint() {
  const sources = filesUnder('src').filter((path) => !TESTS.test(path));
  return digest([...sources.sort(), 'tsconfig.json', 'tsconfig.build.json', 'package-lock.json', BUNDLER]);
}

const built = () => readIfPresent(BUILD_STAMP) === buildFingerprint();

async function compile() {
  const startedAt = performance.now();
  // Taken before the compiler reads the sources: an edit in between builds once too often, never once too few.
  const fingerprint = buildFingerprint();
  say('Building …');
  rmSync(BUILD_STAMP, { force: true });
  if (rebuild) for (const folder of ['build', 'dist']) rmSync(folder, { recursive: true, force: true });
  const tsc = ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json', '--listEmittedFiles'];
  const { ok, output } = await runWithProgress(process.execPath, tsc, { doing: () => 'compiling' });
  const lines = output.split(/\r?\n/);
  if (!ok) fail(`${lines.filter((line) => !line.startsWith('TSFILE:')).join('\n')}\nThe build failed.`);
  // What a deleted source left behind would still be found by whoever imports it.
  const emitted = new Set(
    lines.filter((line) => line.startsWith('TSFILE:')).map((line) => resolve(line.slice(8).trim())),
  );
  for (const path of filesUnder('build')) if (!emitted.has(resolve(path))) rmSync(path);
  const bundle = await runWithProgress(process.execPath, [BUNDLER], { doing: () => 'bundling' });
  if (!bundle.ok) fail(`${bundle.output}\nThe build failed.`);
  writeFileSync(BUILD_STAMP, fingerprint);
  say(`Built in ${((performance.now() - startedAt) / 1000).toFixed(1)} s.`);
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM';
  }
}

// The age counts too: in a container the same small pid soon belongs to another program.
function lockIsAbandoned() {
  try {
    const age = Date.now() - statSync(LOCK).mtimeMs;
    const owner = Number(readFileSync(LOCK, 'utf8'));
    return age > LOCK_ABANDONED_AFTER_MS || (owner > 0 && (owner === process.pid || !isAlive(owner)));
  } catch {
    return false;
  }
}

function removeAbandonedLock() {
  const mine = `${LOCK}.${process.pid}`;
  try {
    // Of several that find it abandoned, the rename lets one through.
    renameSync(LOCK, mine);
    rmSync(mine);
  } catch {
    // Another was faster.
  }
}

async function takeLock() {
  for (let waiting = false; ;) {
    try {
      writeFileSync(LOCK, String(process.pid), { flag: 'wx' });
      break;
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EEXIST') throw error;
    }
    if (lockIsAbandoned()) {
      removeAbandonedLock();
      continue;
    }
    if (!waiting) say('Another command is installing or building here: waiting for it.');
    waiting = true;
    await delay(200);
  }
  setInterval(() => utimesSync(LOCK, new Date(), new Date()), 5_000).unref();
  process.once('exit', () => rmSync(LOCK, { force: true }));
  process.once('SIGINT', () => process.exit(130));
  process.once('SIGTERM', () => process.exit(143));
}

checkNode();
if (rebuild || !installed() || (build && !built())) {
  await takeLock();
  if (!installed()) await install();
  if (rebuild || (build && !built())) {
    await compile();
  }
}
