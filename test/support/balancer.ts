import { once } from 'node:events';
import { Agent, createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

interface Target {
  readonly url: string;
  ready: boolean;
}

/**
 * A typical load balancer: it asks each node for `/health/ready`, acts on the answer a while later, keeps its
 * connections to the nodes, and never retries a request.
 */
export class Balancer {
  private readonly agent = new Agent({ keepAlive: true });
  private readonly targets = new Set<Target>();
  private turn = 0;

  private constructor(
    private readonly server: Server,
    private readonly lagMs: number,
  ) {
    server.on('request', (incoming, outgoing) => this.forward(incoming, outgoing));
  }

  /** @param lagMs how long after a node has changed its readiness it stops, or starts, to get requests */
  static async start(lagMs: number): Promise<Balancer> {
    const server = createServer({ keepAliveTimeout: 60_000 }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new Balancer(server, lagMs);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  get ready(): number {
    return [...this.targets].filter((target) => target.ready).length;
  }

  /** From now on, this node's readiness is checked until it was ready and has gone. */
  add(url: string): void {
    const target: Target = { url, ready: false };
    this.targets.add(target);
    void this.watch(target);
  }

  async close(): Promise<void> {
    this.targets.clear();
    this.agent.destroy();
    this.server.close();
    this.server.closeAllConnections();
    await once(this.server, 'close');
  }

  private async watch(target: Target): Promise<void> {
    for (let wasReady = false; this.targets.has(target); await sleep(20)) {
      const { status } = await fetch(`${target.url}/health/ready`).catch(() => ({ status: 0 }));
      const isReady = status === 200;
      if (isReady === wasReady) continue;
      wasReady = isReady;
      setTimeout(() => {
        target.ready = isReady;
        if (!isReady) this.targets.delete(target);
      }, this.lagMs);
    }
  }

  private forward(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const ready = [...this.targets].filter((target) => target.ready);
    const target = ready[(this.turn += 1) % ready.length];
    const fail = (reason: string): void => {
      if (!outgoing.headersSent) outgoing.writeHead(502);
      outgoing.end(reason);
    };
    if (target === undefined) return fail('no node is ready');
    const { hostname, port } = new URL(target.url);
    const { connection: _connection, ...headers } = incoming.headers;
    const { method, url: path } = incoming;
    const onward = request({ hostname, port, method, path, headers, agent: this.agent }, (answer) => {
      const { connection: _close, 'keep-alive': _idle, ...kept } = answer.headers;
      outgoing.writeHead(answer.statusCode ?? 502, kept);
      answer.pipe(outgoing);
      answer.on('error', () => outgoing.destroy());
    });
    onward.on('error', (error: NodeJS.ErrnoException) => fail(`${target.url}: ${error.code}`));
    incoming.pipe(onward);
  }
}
