import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';

const readyWithinMs = 60_000;
const ticksPerSecond = 100;

/** @type {Set<import('node:child_process').ChildProcess>} */
const children = new Set();
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

/**
 * @typedef {object} Program
 * @property {number} pid
 * @property {string} url
 * @property {number} readyMs from its start until it answers
 * @property {() => Promise<void>} stop
 */

/**
 * A Node.js program that prints the address it listens on.
 *
 * @param {string} script @param {NodeJS.ProcessEnv} env @param {string[]} [nodeArguments]
 * @returns {Promise<Program>}
 */
export async function startProgram(script, env, nodeArguments = []) {
  const startedAt = performance.now();
  const child = spawn(process.execPath, [...nodeArguments, script], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.add(child);
  const exited = once(child, 'exit').then(() => children.delete(child));
  let output = '';
  /** @type {string} */
  const url = await new Promise((resolve, reject) => {
    const fail = (/** @type {string} */ why) => reject(new Error(`${script} ${why}:\n${output.trim()}`));
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      fail('was not ready in time');
    }, readyWithinMs);
    const read = (/** @type {string} */ part) => {
      output = (output + part).slice(-8_000);
      const found = /(?:ready|listening) on (http:\/\/\S+)/.exec(output)?.[1];
      if (found) resolve(found);
      if (found) clearTimeout(timer);
    };
    child.stdout.setEncoding('utf8').on('data', read);
    child.stderr.setEncoding('utf8').on('data', read);
    child.once('exit', (code) => fail(`ended with ${code}`));
  });
  return {
    pid: Number(child.pid),
    url,
    readyMs: performance.now() - startedAt,
    async stop() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
      await exited;
      clearTimeout(timer);
    },
  };
}

/** CPU seconds a process has used, across its threads; NaN without /proc. @param {number} pid */
export function cpuSeconds(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
  } catch {
    return NaN;
  }
}

/** Resident memory in MB; NaN without /proc. @param {number} pid */
export function residentMb(pid) {
  try {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
  } catch {
    return NaN;
  }
}
