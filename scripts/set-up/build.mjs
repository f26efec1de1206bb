import { rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { runWithProgress } from '../run-with-progress.mjs';
import { digest, filesUnder, readIfPresent } from './files.mjs';
import { fail, say } from './say.mjs';

const STAMP = 'dist/.rollcall-build';
const TESTS = /[.-](spec|contract)\.ts$/;

const BUNDLER = 'scripts/bundle.mjs';
// `engines` in package.json becomes a part of the bundle.
const BUNDLED = [
  ...[
    'scripts/bundling.mjs',
    'scripts/bundle-entry.mjs',
    'scripts/external-packages.mjs',
    'scripts/set-up/supported-node.mjs',
  ],
  ...['package.json', 'package-lock.json'],
];

function fingerprint() {
  const sources = filesUnder('src').filter((path) => !TESTS.test(path));
  return digest([...sources.sort(), 'tsconfig.json', 'tsconfig.build.json', BUNDLER, ...BUNDLED]);
}

export const built = () => readIfPresent(STAMP) === fingerprint();

/** @param {boolean} anew from scratch, rather than incrementally */
export async function build(anew) {
  const startedAt = performance.now();
  // Taken before the compiler reads the sources: an edit in between causes one build too many, never one too few.
  const fresh = fingerprint();
  say('Building …');
  rmSync(STAMP, { force: true });
  if (anew) for (const folder of ['build', 'dist']) rmSync(folder, { recursive: true, force: true });
  const tsc = ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json', '--listEmittedFiles'];
  const { ok, output } = await runWithProgress(process.execPath, tsc, { doing: () => 'compiling' });
  const lines = output.split(/\r?\n/);
  if (!ok) fail(`${lines.filter((line) => !line.startsWith('TSFILE:')).join('\n')}\nThe build failed.`);
  // The output of a deleted source could otherwise still be imported.
  const emitted = new Set(
    lines.filter((line) => line.startsWith('TSFILE:')).map((line) => resolve(line.slice(8).trim())),
  );
  for (const path of filesUnder('build')) if (!emitted.has(resolve(path))) rmSync(path);
  const bundle = await runWithProgress(process.execPath, [BUNDLER], { doing: () => 'bundling' });
  if (!bundle.ok) fail(`${bundle.output}\nThe build failed.`);
  writeFileSync(STAMP, fresh);
  say(`Built in ${((performance.now() - startedAt) / 1000).toFixed(1)} s.`);
}
