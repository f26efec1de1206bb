// What every npm command runs: `node scripts/prepare.mjs [--build | --rebuild] [PROGRAM ARGUMENT…]`. It takes care of
// the right Node.js, the packages and the build, and then runs the program in this same process. In a fresh clone
// nothing is installed and Node.js may be old (18), so it uses only Node's own modules; and it is silent if there is
// nothing to do.
import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build, built } from './set-up/build.mjs';
import { install, installed } from './set-up/install.mjs';
import { withLock } from './set-up/lock.mjs';
import { continueOn, defaultVersion, privateNode } from './set-up/private-node.mjs';
import { fail } from './set-up/say.mjs';
import { isInRange } from './set-up/supported-node.mjs';

const self = fileURLToPath(import.meta.url);
process.chdir(join(dirname(self), '..'));

const args = process.argv.slice(2);
const mode = args[0]?.startsWith('--') ? args.shift() : undefined;

async function prepare() {
  const isReady = () => installed() && (mode === undefined || built());
  if (mode !== '--rebuild' && isReady()) return;
  await withLock(async () => {
    if (!installed()) await install();
    if (mode === '--rebuild' || (mode === '--build' && !built())) await build(mode === '--rebuild');
  });
}

const { engines } = JSON.parse(readFileSync('package.json', 'utf8'));
if (isInRange(process.versions.node, engines.node)) {
  await prepare();
  const [program, ...rest] = args;
  if (program !== undefined) {
    process.argv = [process.execPath, resolve(program), ...rest];
    await import(pathToFileURL(resolve(program)).href);
  }
} else {
  const version = defaultVersion();
  if (version === undefined || !isInRange(version, engines.node)) {
    fail(
      `Rollcall needs Node.js ${engines.node}; this is ${process.versions.node}.\n` +
        'Install a newer one from https://nodejs.org, or with a version manager: nvm install',
    );
  }
  const reason = `Rollcall needs ${engines.node}, and this is ${process.versions.node}`;
  continueOn(await privateNode(version, reason), [self, ...process.argv.slice(2)]);
}
