import { spawn } from 'node:child_process';
import { once } from 'node:events';

const readyWithinMs = 90_000;
const stopWithinMs = 30_000;

/** A node of the built service, and everything that it prints. */
export class NodeProcess {
  /** @param {import('node:child_process').ChildProcess} child @param {string} url @param {() => string} output */
  constructor(child, url, output) {
    this.child = child;
    this.url = url;
    this.printed = output;
  }

  /** @param {NodeJS.ProcessEnv} env @returns {Promise<NodeProcess>} */
  static async start(env) {
    const child = spawn(process.execPath, ['dist/main.js'], {
      env: { PATH: process.env.PATH, PORT: '0', LOG_LEVEL: 'warn', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      // Ctrl-C is for the soak program, which still has to run its final checks.
      detached: true,
    });
    process.once('exit', () => child.kill('SIGKILL'));
    let output = '';
    /** @type {string} */
    const url = await new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`a node was not ready in time:\n${output}`)), readyWithinMs);
      const read = (/** @type {string} */ part) => {
        output = (output + part).slice(-64_000);
        const ready = /Rollcall is ready on (http:\S+)/.exec(output)?.[1];
        if (ready === undefined) return;
        clearTimeout(timer);
        resolve(ready);
      };
      child.stdout.setEncoding('utf8').on('data', read);
      child.stderr.setEncoding('utf8').on('data', read);
      child.once('exit', (code) => reject(new Error(`a node exited with ${code}:\n${output}`)));
    });
    return new NodeProcess(child, url, () => output);
  }

  /** The first event that must not happen, as a sentence; null if there was none. */
  get broken() {
    if (this.child.exitCode !== null || this.child.signalCode !== null)
      return `a node exited on its own with ${this.child.exitCode ?? this.child.signalCode}:\n${this.printed()}`;
    const line = this.printed()
      .split('\n')
      .find((one) => /uncaught error|internal error|fault of ours|Warning:/.test(one));
    return line === undefined ? null : `a node logged: ${line}`;
  }

  /** Stops it like an operator. @returns its exit code */
  async stop() {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return this.child.exitCode;
    const exited = once(this.child, 'exit');
    this.child.kill('SIGTERM');
    const timer = setTimeout(() => this.child.kill('SIGKILL'), stopWithinMs);
    await exited;
    clearTimeout(timer);
    return this.child.exitCode;
  }
}
