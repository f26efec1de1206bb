// `npm run check`: runs all steps in parallel and each to its end, so that one run shows everything that is wrong.
import { spawn } from 'node:child_process';

const STEPS = {
  format: ['node_modules/prettier/bin/prettier.cjs', '--check', '--log-level=warn', '.'],
  lint: ['node_modules/eslint/bin/eslint.js', '--max-warnings=0', '.'],
  'dependency arrows': ['node_modules/dependency-cruiser/bin/dependency-cruise.mjs', 'src', '--output-type=err-long'],
  types: ['node_modules/typescript/bin/tsc', '--noEmit', '-p', 'tsconfig.json'],
  'unused code': ['node_modules/knip/bin/knip.js'],
  'generated files': ['scripts/check-generated.mjs'],
};

/** @param {string} name @param {string[]} args @returns {Promise<boolean>} */
function runStep(name, args) {
  return new Promise((resolve) => {
    const startedAt = performance.now();
    const step = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    step.stdout.on('data', (chunk) => (output += chunk));
    step.stderr.on('data', (chunk) => (output += chunk));
    step.once('close', (code) => {
      const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
      console.log(`${code === 0 ? 'ok    ' : 'FAILED'}  ${name} (${seconds} s)`);
      if (code !== 0) console.log(output.trimEnd());
      resolve(code === 0);
    });
  });
}

const passed = await Promise.all(Object.entries(STEPS).map(([name, args]) => runStep(name, args)));
process.exitCode = passed.every(Boolean) ? 0 : 1;
