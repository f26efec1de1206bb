// `npm run test:faults`: the suites that break things. `--long`: more runs of each. `--seed N`: the random choices of
// an earlier run. Further arguments go to jest, so `npm run test:faults -- --long durability` runs one file.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  options: { long: { type: 'boolean', default: false }, seed: { type: 'string' } },
  allowPositionals: true,
});
/** The complete long form also runs the engine suites on a Galera cluster. */
const projects = values.long && positionals.length === 0 ? ['faults', 'galera'] : ['faults'];
const seed = values.seed ?? String(Math.floor(Math.random() * 2 ** 31));
if (!/^\d{1,10}$/.test(seed)) {
  process.stderr.write('--seed takes a whole number, as an earlier run printed it.\n');
  process.exit(2);
}
process.stderr.write(`Seed ${seed}${values.long ? ', the long form' : ''}.\n`);
const tests = spawn(
  process.execPath,
  [
    'scripts/test.mjs',
    '--selectProjects',
    ...projects,
    '--testPathPatterns',
    ...(positionals.length ? positionals : ['.']),
    // One suite at a time: the long form holds the promised times without an allowance for neighbours.
    ...(values.long ? ['--maxWorkers', '1'] : []),
  ],
  { stdio: 'inherit', env: { ...process.env, TEST_LONG: values.long ? '1' : '', TEST_SEED: seed } },
);
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']))
  process.on(signal, () => tests.kill(signal));
tests.once('close', (code, signal) => {
  process.exitCode = code ?? 128 + (signal ? constants.signals[signal] : 0);
});
