// Node.js from npm, for machines whose own is too old, and for the tests. `node-binaries.json` has the packages: they
// hold the official programs and run nothing when they are installed.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { withLock } from './lock.mjs';
import { runNpm } from './npm.mjs';
import { fail, say } from './say.mjs';

const FOLDER = '.node';
const FETCHING = join(FOLDER, 'fetching');

/** @typedef {{ package: string, integrity: Record<string, string> }} Binaries the hash of each version */

const platform = `${process.platform}-${process.arch}`;

/** @returns {Binaries | undefined} */
function binariesHere() {
  return JSON.parse(readFileSync(new URL('node-binaries.json', import.meta.url), 'utf8'))[platform];
}

/** The versions that can be fetched for this platform, the oldest first. */
export const fetchableVersions = () => Object.keys(binariesHere()?.integrity ?? {});

/** That of `.nvmrc`; on a platform that has no package of it, the newest one that has. */
export function defaultVersion() {
  const versions = fetchableVersions();
  const wanted = readFileSync('.nvmrc', 'utf8').trim();
  return versions.includes(wanted) ? wanted : versions.at(-1);
}

/**
 * @param {string} version
 * @param {string} reason why it is fetched, if it has to be
 * @returns {Promise<string>} the path of the program
 */
export async function privateNode(version, reason) {
  const program = resolve(FOLDER, version, process.platform === 'win32' ? 'node.exe' : 'node');
  if (!existsSync(program)) {
    await withLock(async () => {
      if (!existsSync(program)) await fetchNode(version, reason);
    });
  }
  return program;
}

/** @param {string} version @param {string} reason */
async function fetchNode(version, reason) {
  const { package: name, integrity } = /** @type {Binaries} */ (binariesHere());
  say(`Fetching Node.js ${version} (npm: ${name}) into ${FOLDER}/: ${reason}.`);
  rmSync(FETCHING, { recursive: true, force: true });
  mkdirSync(FETCHING, { recursive: true });
  const dependencies = { [name]: version };
  const locked = { version, integrity: integrity[version] };
  const files = {
    'package.json': { private: true, dependencies },
    // npm refuses a package whose bytes do not have this hash.
    'package-lock.json': { lockfileVersion: 3, packages: { '': { dependencies }, [`node_modules/${name}`]: locked } },
  };
  for (const [file, content] of Object.entries(files)) writeFileSync(join(FETCHING, file), JSON.stringify(content));
  const { ok, output } = await runNpm(['ci', '--ignore-scripts', '--prefix', FETCHING], `fetching Node.js ${version}`);
  if (!ok) {
    fail(
      `${output.trimEnd()}\n\nNode.js ${version} could not be fetched.\n` +
        '- If the network failed: check the connection to the npm registry and run the command again.\n' +
        '- Or install it from https://nodejs.org, or with a version manager: nvm install',
    );
  }
  renameSync(join(FETCHING, 'node_modules', name, 'bin'), join(FOLDER, version));
  // Also versions of earlier times.
  for (const entry of readdirSync(FOLDER))
    if (!(entry in integrity)) rmSync(join(FOLDER, entry), { recursive: true, force: true });
}

/**
 * Runs a script on another Node.js in the place of this process: signals go to it, and its end is ours.
 *
 * @param {string} program @param {string[]} args
 */
export function continueOn(program, args) {
  // So that whatever is called `node` further on is this one too.
  const path = [resolve(program, '..'), process.env.PATH].join(delimiter);
  /** @type {NodeJS.Signals[]} */
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  // Before it starts: a signal in between would end this process alone, and leave the other one behind.
  for (const signal of signals) process.on(signal, () => child.kill(signal));
  const child = spawn(program, args, { stdio: 'inherit', env: { ...process.env, PATH: path } });
  child.once('error', (error) => fail(`${program} could not be started: ${error.message}`));
  child.once('close', (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
    // Where a signal does not end a process, as that of a crash may not.
    setTimeout(() => process.exit(128 + constants.signals[signal]), 500);
  });
}
