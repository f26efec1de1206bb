import { spawn } from 'node:child_process';

const REPORT_EVERY_MS = 5_000;

/**
 * Runs a program that may be silent for minutes, and reports on stderr every few seconds that it is still running.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {{ env?: NodeJS.ProcessEnv, doing: () => string }} options `doing` names the current step, for a person
 * @returns {Promise<{ ok: boolean, output: string, seconds: number }>}
 */
export function runWithProgress(command, args, { env = process.env, doing }) {
  return new Promise((resolve) => {
    const startedAt = performance.now();
    const seconds = () => Math.round((performance.now() - startedAt) / 1000);
    let output = '';
    // On Windows npm is a batch file, which only a shell can start.
    const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'], shell: command === 'npm.cmd' });
    const abandon = () => child.kill();
    const report = setInterval(() => process.stderr.write(`  … ${doing()} (${seconds()} s)\n`), REPORT_EVERY_MS);
    const settle = (/** @type {boolean} */ ok) => {
      clearInterval(report);
      process.off('exit', abandon);
      resolve({ ok, output, seconds: seconds() });
    };
    process.once('exit', abandon);
    child.stdout.on('data', (chunk) => (output += chunk));
    child.stderr.on('data', (chunk) => (output += chunk));
    child.once('error', (error) => {
      output += error.message;
      settle(false);
    });
    child.once('close', (code) => settle(code === 0));
  });
}
