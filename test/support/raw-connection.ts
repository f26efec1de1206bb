import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export interface WireAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly text: string;
}

/** A persistent connection whose requests are bytes and whose answers are counted, without a client that tidies up. */
export class RawConnection {
  private waiting: ((answer: WireAnswer | null) => void)[] = [];
  private unread: WireAnswer[] = [];
  private received = Buffer.alloc(0);
  closed = false;

  private constructor(private readonly socket: Socket) {
    socket.on('data', (part) => {
      this.received = this.received.length === 0 ? part : Buffer.concat([this.received, part]);
      for (let answer = this.next(); answer !== null; answer = this.next()) {
        const reader = this.waiting.shift();
        if (reader === undefined) this.unread.push(answer);
        else reader(answer);
      }
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.closed = true;
      for (const reader of this.waiting.splice(0)) reader(null);
    });
  }

  static async open(url: string): Promise<RawConnection> {
    const { hostname, port } = new URL(url);
    const socket = connect({ host: hostname, port: Number(port), noDelay: true });
    await once(socket, 'connect');
    return new RawConnection(socket);
  }

  send(bytes: string | Uint8Array): void {
    if (!this.socket.destroyed) this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  }

  /** The next answer; null if the connection ended without one. */
  answer(): Promise<WireAnswer | null> {
    const answer = this.unread.shift();
    if (answer !== undefined) return Promise.resolve(answer);
    return this.closed ? Promise.resolve(null) : new Promise((resolve) => this.waiting.push(resolve));
  }

  /** Every answer until the connection ends, or until nothing has arrived for this long. */
  async answersUntilQuiet(quietMs: number): Promise<WireAnswer[]> {
    const answers: WireAnswer[] = [];
    for (;;) {
      const quiet = new Promise<null>((resolve) => setTimeout(() => resolve(null), quietMs));
      const answer = await Promise.race([this.answer(), quiet]);
      if (answer === null) return answers;
      answers.push(answer);
    }
  }

  /** Data that is not an answer (yet). */
  get rest(): string {
    return this.received.toString('latin1');
  }

  /** Nothing more will be sent; answers are still read. */
  finish(): void {
    this.socket.end();
  }

  end(): void {
    this.closed = true;
    this.socket.destroy();
  }

  /** Takes one complete answer from the received data. */
  private next(): WireAnswer | null {
    const headEnd = this.received.indexOf('\r\n\r\n');
    if (headEnd < 0) return null;
    const [statusLine = '', ...lines] = this.received.toString('latin1', 0, headEnd).split('\r\n');
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(statusLine)?.[1]);
    const headers = new Map<string, string>();
    for (const line of lines) {
      const colon = line.indexOf(':');
      headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
    }
    const bodyStart = headEnd + 4;
    // Every answer of the service states its length. One that does not is delimited by what follows it.
    const bodyEnd = bodyStart + Number(headers.get('content-length') ?? 0);
    if (this.received.length < bodyEnd) return null;
    const text = this.received.toString('utf8', bodyStart, bodyEnd);
    this.received = this.received.subarray(bodyEnd);
    return { status, headers, text };
  }
}
