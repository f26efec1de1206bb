import { spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { digest, readIfPresent } from './files.mjs';
import { runNpm } from './npm.mjs';
import { fail, say } from './say.mjs';

const STAMP = 'node_modules/.rollcall-install';

// npm rewrites its own lock in node_modules whenever it changes the tree, so a pruned or half-updated tree is noticed
// too. The addons work on every supported Node.js, but on one platform only.
const fingerprint = () =>
  `${digest(['package-lock.json', 'node_modules/.package-lock.json'])} ${process.platform}-${process.arch}`;

export const installed = () => readIfPresent(STAMP) === fingerprint();

// A tree copied from another kind of machine is noticed only when an addon is used.
function addonsLoad() {
  const script = "new (require('better-sqlite3'))(':memory:').close(); require('@node-rs/argon2')";
  return spawnSync(process.execPath, ['-e', script], { stdio: 'ignore' }).status === 0;
}

// After a manual `npm ci` or `npm install`, the tree is right and only our stamp is missing.
function installedByHand() {
  const tree = readIfPresent('node_modules/.package-lock.json');
  if (!tree) return false;
  const present = JSON.parse(tree).packages;
  const wanted = Object.entries(JSON.parse(readIfPresent('package-lock.json')).packages);
  const matches = wanted.every(
    ([path, { version, optional }]) =>
      !path.startsWith('node_modules/') || (present[path] ? present[path].version === version : optional),
  );
  return matches && addonsLoad();
}

export async function install() {
  rmSync(STAMP, { force: true });
  if (!installedByHand()) {
    say('Installing the packages (npm ci). The first time takes about 20 s, on a busy machine a minute or two.');
    // NODE_ENV=production would leave out the compiler, which the build needs.
    const { ok, output, seconds } = await runNpm(['ci', '--include=dev'], 'installing packages');
    if (!ok || !addonsLoad()) {
      fail(
        `${output.trimEnd()}\n\nThe installation ${ok ? 'left packages that do not load' : 'failed'} after ${seconds} s.\n` +
          '- If the network failed: check the connection to the npm registry and run the command again.\n' +
          `- If this system (${process.platform}-${process.arch}) is not Linux, macOS or Windows on x64 or arm64: better-sqlite3 has no binary\n` +
          '  for it. Use Docker: docker compose up --build',
      );
    }
    say(`Installed in ${seconds} s.`);
  }
  writeFileSync(STAMP, fingerprint());
}
