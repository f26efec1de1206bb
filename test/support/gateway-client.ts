import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';

export interface Frame {
  readonly type: string;
  readonly [member: string]: any;
}

export interface Closed {
  readonly code: number;
  /** On the monotonic clock of `performance.now()`. */
  readonly at: number;
}

/** An end user's gateway client. */
export class GatewayClient {
  readonly frames: Frame[] = [];
  /** Resolves when the connection has ended, whichever side ended it. */
  readonly closed: Promise<Closed>;
  private taken = 0;

  private constructor(readonly socket: WebSocket) {
    socket.on('message', (data: Buffer) => this.frames.push(JSON.parse(data.toString()) as Frame));
    socket.on('error', () => undefined);
    this.closed = new Promise((resolve) => {
      socket.on('close', (code) => resolve({ code, at: performance.now() }));
    });
  }

  /** Not logged in. `url` is that of the service, `path` that of the app. */
  static async connect(url: string, path: string, headers: Record<string, string> = {}): Promise<GatewayClient> {
    const socket = new WebSocket(`${url.replace('http', 'ws')}${path}/ws`, { headers });
    const client = new GatewayClient(socket);
    await once(socket, 'open');
    return client;
  }

  /** Logged in: `ready` has arrived. */
  static async login(url: string, path: string, token: string, more: object = {}): Promise<GatewayClient> {
    const client = await GatewayClient.connect(url, path);
    client.send({ type: 'login', token, ...more });
    const frame = await client.next();
    if (frame.type !== 'ready') throw new Error(`instead of ready: ${JSON.stringify(frame)}`);
    return client;
  }

  get open(): boolean {
    return this.socket.readyState === WebSocket.OPEN;
  }

  send(frame: object): void {
    this.socket.send(JSON.stringify(frame));
  }

  /** The next frame that has not been consumed yet. */
  async next(withinMs = 5_000): Promise<Frame> {
    for (const end = performance.now() + withinMs; this.frames.length <= this.taken; await sleep(2)) {
      if (performance.now() > end) throw new Error('no frame came in time');
    }
    return this.frames[this.taken++] as Frame;
  }

  async close(): Promise<void> {
    this.socket.close();
    await this.closed;
  }
}

/** How the server answers an upgrade that it refuses. */
export function refusal(
  url: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: any; headers: object }> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url.replace('http', 'ws'), { headers });
    socket.on('open', () => {
      socket.terminate();
      reject(new Error('the upgrade was not refused'));
    });
    socket.on('error', () => undefined);
    socket.on('unexpected-response', (_request, response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body: JSON.parse(text), headers: response.headers }),
      );
    });
  });
}

/** Waits until something holds; fails if it does not in time. @returns how long it took, in milliseconds */
export async function until(holds: () => Promise<boolean> | boolean, withinMs: number, everyMs = 10): Promise<number> {
  const startedAt = performance.now();
  while (!(await holds())) {
    if (performance.now() - startedAt > withinMs) throw new Error(`not within ${withinMs} ms`);
    await sleep(everyMs);
  }
  return performance.now() - startedAt;
}
