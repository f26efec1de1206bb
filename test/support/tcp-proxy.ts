import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** Stands between the service and one of its servers, and can simulate network failures. */
export class TcpProxy {
  private readonly pairs = new Set<readonly [Socket, Socket]>();
  private held = false;
  private delayMs = 0;
  private refusing = false;

  private constructor(
    private readonly server: Server,
    private readonly target: { readonly host: string; readonly port: number },
    private readonly rewrite: (bytes: Buffer) => Buffer,
  ) {
    server.on('connection', (near) => this.join(near));
  }

  /** @param rewrite what the server is sent instead of the original data */
  static async to(url: string, rewrite: (bytes: Buffer) => Buffer = (bytes) => bytes): Promise<TcpProxy> {
    const { hostname, port } = new URL(url);
    const server = createServer({ pauseOnConnect: false }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new TcpProxy(server, { host: hostname, port: Number(port) }, rewrite);
  }

  /** The same URL, through this proxy. */
  through(url: string): string {
    const proxied = new URL(url);
    proxied.hostname = '127.0.0.1';
    proxied.port = String((this.server.address() as AddressInfo).port);
    return proxied.href;
  }

  get connections(): number {
    return this.pairs.size;
  }

  /** Ends every connection, as a killed server would. New ones are let through. */
  cut(): void {
    for (const pair of this.pairs) for (const socket of pair) socket.destroy();
  }

  /** A black hole: connections stay, new ones are accepted, and no byte passes in either direction. */
  hold(): void {
    this.held = true;
    for (const pair of this.pairs) for (const socket of pair) socket.pause();
  }

  /** From now on every byte is delayed by this much, in either direction, in order. */
  slow(delayMs: number): void {
    this.delayMs = delayMs;
  }

  /** Ends every connection, and each new one at once. */
  refuse(): void {
    this.refusing = true;
    this.cut();
  }

  /** Everything passes again, including what was held back. */
  heal(): void {
    this.held = false;
    this.refusing = false;
    this.delayMs = 0;
    for (const pair of this.pairs) for (const socket of pair) socket.resume();
  }

  async close(): Promise<void> {
    this.server.close();
    this.cut();
    await once(this.server, 'close');
  }

  private join(near: Socket): void {
    if (this.refusing) {
      near.destroy();
      return;
    }
    const far = connect(this.target);
    const pair = [near, far] as const;
    this.pairs.add(pair);
    for (const [from, to] of [pair, [far, near] as const]) {
      let free = 0;
      from.on('data', (bytes: Buffer) => {
        const passed = from === near ? this.rewrite(bytes) : bytes;
        const now = performance.now();
        // Not before earlier data, even if the delay has just become shorter.
        free = Math.max(free, now + this.delayMs);
        if (free <= now) to.write(passed);
        else setTimeout(() => to.write(passed), free - now);
      });
      from.on('error', () => undefined);
      from.on('close', () => {
        to.destroy();
        this.pairs.delete(pair);
      });
      if (this.held) from.pause();
    }
  }
}
