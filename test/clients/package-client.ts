import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const host = fileURLToPath(new URL('package-host.mjs', import.meta.url));

/** What a package threw or rejected with. */
export interface PackageFailure {
  readonly message?: string;
  readonly status?: number;
  readonly type?: number;
  readonly data?: any;
  /** Of the answer that caused the failure. */
  readonly body?: any;
}

/** A client object of a third-party package, which runs in its own process. */
export class PackageClient {
  private calls = 0;

  private constructor(private readonly child: ChildProcess) {}

  static async start(name: string, options: object = {}): Promise<PackageClient> {
    const client = new PackageClient(fork(host, { stdio: ['ignore', 'ignore', 'ignore', 'ipc'], execArgv: [] }));
    await client.ask({ make: name, options });
    return client;
  }

  /** The result of a method, or of a method of a member: `HTTPAdapter.get`. Rejects with a `PackageFailure`. */
  call(method: string, ...args: unknown[]): Promise<any> {
    return this.ask({ method, args });
  }

  /** A property, such as `userData.token`. */
  get(path: string): Promise<any> {
    return this.ask({ path });
  }

  /** The failure of a call that is expected to fail. */
  async failure(method: string, ...args: unknown[]): Promise<PackageFailure> {
    const value = await this.call(method, ...args).then(
      (answer) => ({ answer }),
      (error: PackageFailure) => error,
    );
    if ('answer' in value) throw new Error(`${method} did not fail`);
    return value;
  }

  async stop(): Promise<void> {
    const gone = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await gone;
  }

  private ask(question: object): Promise<any> {
    this.calls += 1;
    const id = this.calls;
    return new Promise((resolve, reject) => {
      const onMessage = (answer: { id: number; value?: unknown; error?: PackageFailure }): void => {
        if (answer.id !== id) return;
        this.child.off('message', onMessage as never);
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- the package's own, as received
        if (answer.error !== undefined) reject(answer.error);
        else resolve(answer.value);
      };
      this.child.on('message', onMessage as never);
      this.child.send({ id, ...question });
    });
  }
}
