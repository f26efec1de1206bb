// What every command of npm runs: `node scripts/prepare.mjs [--build | --rebuild] [PROGRAM ARGUMENT…]`. It sees to the
// right Node.js, to the packages and to the build, and then runs the program in this same process. A clone may have
// nothing installed yet and the Node.js may be an old one (18), so it uses Node's own modules only; and it is silent when
// there is nothing to do.
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
