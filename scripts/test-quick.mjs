// `npm run test:quick`: run it before each commit. The types, then the unit tests and every suite on SQLite.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';

const STEPS = {
  types: ['node_modules/typescript/bin/tsc', '--noEmit', '-p', 'tsconfig.json'],
  'unit tests and SQLite': ['scripts/test.mjs', '--selectProjects', 'unit', 'sqlite', ...process.argv.slice(2)],
};

/** @type {import('node:child_process').ChildProcess | undefined} */
let step;
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']))
  process.on(signal, () => step?.kill(signal));

/** @param {string[]} args @returns {Promise<number>} */
function run(args) {
  return new Promise((resolve) => {
    step = spawn(process.execPath, args, { stdio: 'inherit' });
    step.once('close', (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)));
  });
}

const startedAt = performance.now();
for (const [name, args] of Object.entries(STEPS)) {
  process.exitCode = await run(args);
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(0);
  process.stdout.write(`${process.exitCode === 0 ? 'ok    ' : 'FAILED'}  ${name} (${seconds} s since the start)\n`);
  if (process.exitCode !== 0) break;
}
