import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** The status of a request; 0 if its connection broke. */
export interface LoadAnswer {
  readonly status: number;
  readonly ms: number;
  readonly retryAfter: boolean;
}

interface Connection {
  readonly socket: Socket;
  sentAt: number;
  text: string;
}

/** A request as sent on the wire. */
export function requestText(method: string, path: string, token: string, body = ''): string {
  return (
    `${method} ${path} HTTP/1.1\r\nhost: rollcall\r\nauthorization: Bearer ${token}\r\n` +
    `content-length: ${body.length}\r\n\r\n${body}`
  );
}

/**
 * Requests that arrive at a fixed rate, whether or not earlier ones were answered, like many independent callers. On
 * bare sockets, so that one process can ask for more than another can serve.
 */
export class OpenLoad {
  readonly answers: LoadAnswer[] = [];
  /** Requests that found every connection in use: this many are waiting for answers. */
  unsent = 0;
  private readonly idle: Connection[] = [];
  private readonly all = new Set<Connection>();

  constructor(
    private readonly url: string,
    private readonly requestOf: (index: number) => string,
    private readonly maxConnections: number,
  ) {}

  /** As many concurrent requests as there are connections, each after the previous answer; at least one of each. */
  async saturate(atOnce: number, forMs: number): Promise<void> {
    const startedAt = performance.now();
    let index = 0;
    const caller = async (): Promise<void> => {
      const connection = this.open();
      do await this.send(connection, (index += 1));
      while (performance.now() - startedAt < forMs);
      this.idle.push(connection);
    };
    await Promise.all(Array.from({ length: atOnce }, caller));
  }

  /** @param perSecond how many requests start per second */
  async run(perSecond: number, forMs: number): Promise<void> {
    const startedAt = performance.now();
    for (let sent = 0, now = startedAt; now < startedAt + forMs; now = performance.now()) {
      for (const due = ((now - startedAt) / 1_000) * perSecond; sent < due; sent += 1) {
        const connection = this.idle.pop() ?? (this.all.size < this.maxConnections ? this.open() : undefined);
        if (connection === undefined) this.unsent += 1;
        else void this.send(connection, sent).then(() => this.all.has(connection) && this.idle.push(connection));
      }
      await sleep(2);
    }
  }

  async close(): Promise<void> {
    const open = [...this.all].filter(({ socket }) => !socket.destroyed);
    await Promise.all(
      open.map(({ socket }) => {
        const closed = once(socket, 'close');
        socket.destroy();
        return closed;
      }),
    );
  }

  private open(): Connection {
    const { hostname, port } = new URL(this.url);
    const socket = connect(Number(port), hostname).setNoDelay(true).setEncoding('latin1');
    const connection: Connection = { socket, sentAt: 0, text: '' };
    this.all.add(connection);
    socket.on('error', () => undefined);
    socket.on('close', () => this.all.delete(connection));
    return connection;
  }

  private send(connection: Connection, index: number): Promise<void> {
    const { socket } = connection;
    connection.sentAt = performance.now();
    connection.text = '';
    return new Promise((resolve) => {
      const end = (status: number, retryAfter: boolean): void => {
        socket.off('data', read).off('close', broken);
        this.answers.push({ status, ms: performance.now() - connection.sentAt, retryAfter });
        resolve();
      };
      const broken = (): void => end(0, false);
      const read = (part: string): void => {
        connection.text += part;
        const head = connection.text.indexOf('\r\n\r\n');
        const length = /content-length: (\d+)/i.exec(connection.text)?.[1];
        if (head < 0 || connection.text.length < head + 4 + Number(length)) return;
        end(Number(connection.text.slice(9, 12)), /\r\nretry-after: /i.test(connection.text));
      };
      socket.on('data', read).on('close', broken);
      if (socket.destroyed) broken();
      else socket.write(this.requestOf(index));
    });
  }
}
