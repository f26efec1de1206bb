// Node.js from npm, for machines whose own is too old, and for the tests. `node-binaries.json` lists the packages: they
// contain the official programs and run nothing on installation.
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

/** The versions available for this platform, oldest first. */
export const fetchableVersions = () => Object.keys(binariesHere()?.integrity ?? {});

/** The version in `.nvmrc`; on a platform without a package for it, the newest one available. */
export function defaultVersion() {
  const versions = fetchableVersions();
  const wanted = readFileSync('.nvmrc', 'utf8').trim();
  return versions.includes(wanted) ? wanted : versions.at(-1);
}

/**
 * @param {string} version
 * @param {string} reason why it is downloaded, if it has to be
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
    // npm refuses a package whose bytes do not match this hash.
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
  // Including versions from earlier times.
  for (const entry of readdirSync(FOLDER))
    if (!(entry in integrity)) rmSync(join(FOLDER, entry), { recursive: true, force: true });
}

/**
 * Runs a script on another Node.js in place of this process: it gets this process's signals and passes its exit code
 * on.
 *
 * @param {string} program @param {string[]} args
 */
export function continueOn(program, args) {
  // So that further calls of `node` find this one too.
  const path = [resolve(program, '..'), process.env.PATH].join(delimiter);
  /** @type {NodeJS.Signals[]} */
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  // Before it starts: a signal in between would end only this process and leave the other one behind.
  for (const signal of signals) process.on(signal, () => child.kill(signal));
  const child = spawn(program, args, { stdio: 'inherit', env: { ...process.env, PATH: path } });
  child.once('error', (error) => fail(`${program} could not be started: ${error.message}`));
  child.once('close', (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
    // If the signal does not end this process, as that of a crash may not.
    setTimeout(() => process.exit(128 + constants.signals[signal]), 500);
  });
}
