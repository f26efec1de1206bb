import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parseAppSetting } from '../../src/apps/app-settings.js';
import { updateRows } from './rows.js';

const root = join(import.meta.dirname, '../..');
const readyWithinMs = 90_000;

/** `node dist/main.js` as an operator runs it: a separate process that can be killed. */
export class ServiceProcess {
  private static readonly started = new Set<ChildProcess>();

  private constructor(
    private readonly child: ChildProcess,
    readonly url: string,
    private readonly printed: () => string,
  ) {}

  /** Everything that the process has printed so far. */
  get output(): string {
    return this.printed();
  }

  /**
   * @param imports modules that are loaded before the service
   * @param under a command that runs it but leaves it the process that was started
   */
  static async start(
    env: Readonly<Record<string, string>>,
    imports: readonly string[] = [],
    under: readonly string[] = [],
  ): Promise<ServiceProcess> {
    const withImports = imports.flatMap((file) => ['--import', file]);
    return this.run([...under, process.execPath, ...withImports, join(root, 'dist/main.js')], env);
  }

  /** Any other command that starts the service and remains the process that signals are sent to. */
  static async run(
    [program = '', ...args]: readonly string[],
    env: Readonly<Record<string, string>>,
    cwd?: string,
  ): Promise<ServiceProcess> {
    const child = spawn(program, args, {
      cwd,
      env: { PATH: process.env.PATH, PORT: '0', LOG_LEVEL: 'warn', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.started.add(child);
    child.once('exit', () => this.started.delete(child));
    let output = '';
    const url = await new Promise<string>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`not ready in time:\n${output}`)), readyWithinMs);
      timer.unref();
      const read = (part: string): void => {
        output += part;
        const ready = /Rollcall is ready on (http:\S+)/.exec(output)?.[1];
        if (ready === undefined) return;
        clearTimeout(timer);
        resolve(ready);
      };
      child.stdout.setEncoding('utf8').on('data', read);
      child.stderr.setEncoding('utf8').on('data', read);
      child.once('exit', (code) => reject(new Error(`it ended with ${code}:\n${output}`)));
    }).catch((error: unknown) => {
      child.kill('SIGKILL');
      throw error;
    });
    return new ServiceProcess(child, url, () => output);
  }

  /** Sends a signal and returns the next line that the process writes to its standard output. */
  async ask(signal: NodeJS.Signals): Promise<string> {
    const answer = once(this.child.stdout as NodeJS.ReadableStream, 'data') as Promise<[string]>;
    this.child.kill(signal);
    return (await answer)[0].trim();
  }

  /** Its current memory, in MiB. Only Linux reports it in this way. */
  async residentMiB(): Promise<number> {
    const status = await readFile(`/proc/${this.child.pid}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
  }

  /** Sends a signal without waiting for its effect. */
  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Waits until it has ended. @returns its exit code; null if a signal ended it */
  async ended(): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) await once(this.child, 'close');
    return this.child.exitCode;
  }

  /** Suspends it, as on a machine that gives it no CPU, until `goOn`. */
  suspend(): void {
    this.child.kill('SIGSTOP');
  }

  resume(): void {
    this.child.kill('SIGCONT');
  }

  /** Including those whose test timed out while they were starting. */
  static killAll(): void {
    for (const child of this.started) child.kill('SIGKILL');
  }

  /** `kill -9`: nothing is finished, nothing is printed. */
  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }

  /** Stops it as operators do. @returns its exit code; null if a signal ended it */
  stop(): Promise<number | null> {
    return this.end('SIGTERM');
  }

  private async end(signal: NodeJS.Signals): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      // Not `exit`: its last output may still be on its way.
      const closed = once(this.child, 'close');
      this.child.kill(signal);
      await closed;
    }
    return this.child.exitCode;
  }
}

/** `rollcall …`, as `npm run -s cli -- …` runs it. @returns what it prints */
export async function runCli(args: readonly string[], env: Readonly<Record<string, string>>): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [join(root, 'dist/cli.js'), ...args], {
    env: { PATH: process.env.PATH, ...env },
  });
  return stdout.trim();
}

/**
 * Removes the rate limits of a new app, and changes other settings of it. Call it before the service is asked for the
 * app, which it then caches for a second. Written into the database, as each run of the command line takes a second.
 */
export async function removeLimits(
  { org, name }: { readonly org: string; readonly name: string },
  { DATABASE_URL: databaseUrl }: Readonly<Record<string, string>>,
  ...settings: readonly string[]
): Promise<void> {
  if (databaseUrl === undefined) throw new Error('the settings name no DATABASE_URL');
  const chosen = ['rate_profile=off', ...settings].map((setting) => setting.split('=') as [string, string]);
  const json = JSON.stringify(Object.assign({}, ...chosen.map(([key, value]) => parseAppSetting(key, value))));
  await updateRows(databaseUrl, 'UPDATE apps SET settings = ? WHERE org = ? AND name = ?', [json, org, name]);
}
