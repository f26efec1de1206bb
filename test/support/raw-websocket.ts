import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** A frame that a client may, or may not, send. */
export interface RawFrame {
  readonly opcode: number;
  readonly payload?: Buffer | string;
  readonly fin?: boolean;
  /** The three reserved bits, 0 to 7. */
  readonly reserved?: number;
  /** Required of clients. */
  readonly masked?: boolean;
  /** The length in the header, if it is to be wrong. */
  readonly length?: bigint;
}

export const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** The bytes of a frame, however invalid. */
export function rawFrame({ opcode, payload = '', fin = true, reserved = 0, masked = true, length }: RawFrame): Buffer {
  const bytes = Buffer.from(payload);
  const stated = length ?? BigInt(bytes.length);
  const short = stated < 126n ? Number(stated) : stated < 65_536n ? 126 : 127;
  const head = Buffer.alloc(short === 127 ? 10 : short === 126 ? 4 : 2);
  head[0] = (fin ? 0x80 : 0) | (reserved << 4) | opcode;
  head[1] = (masked ? 0x80 : 0) | short;
  if (short === 126) head.writeUInt16BE(Number(stated), 2);
  if (short === 127) head.writeBigUInt64BE(stated, 2);
  // A mask of zeros changes nothing.
  return masked ? Buffer.concat([head, Buffer.alloc(4), bytes]) : Buffer.concat([head, bytes]);
}

/** A client that can send anything: sockets and frames are hand-made, as `ws` would refuse most of them. */
export class RawWebSocket {
  /** The status of the answer to the upgrade; 0 if there was none. */
  status = 0;
  /** Everything received after the headers of that answer. */
  received = Buffer.alloc(0);
  /** When the server has ended the connection, resolves to the close code it sent, or null. */
  readonly closed: Promise<number | null>;

  private constructor(readonly socket: Socket) {
    socket.on('error', () => undefined);
    this.closed = new Promise((resolve) => {
      const end = (): void => resolve(this.closeCode);
      socket.on('end', end);
      socket.on('close', end);
    });
  }

  /** Requests the upgrade. @returns when it was answered, in whatever way */
  static async connect(
    url: string,
    path: string,
    headers: Readonly<Record<string, string>> = {},
    method = 'GET',
  ): Promise<RawWebSocket> {
    const { hostname, port } = new URL(url);
    const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
    const client = new RawWebSocket(socket);
    await once(socket, 'connect');
    const lines = Object.entries({
      Host: 'localhost',
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAA==',
      ...headers,
    }).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.write(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`);
    await client.readHead();
    return client;
  }

  send(...frames: readonly RawFrame[]): void {
    this.socket.write(Buffer.concat(frames.map(rawFrame)));
  }

  sendJson(frame: object): void {
    this.send({ opcode: opcodes.text, payload: JSON.stringify(frame) });
  }

  destroy(): void {
    this.socket.destroy();
  }

  /** The texts of the frames received so far. */
  get texts(): string[] {
    return this.frames().flatMap(({ opcode, payload }) => (opcode === opcodes.text ? [payload.toString()] : []));
  }

  private get closeCode(): number | null {
    const payload = this.frames().find(({ opcode }) => opcode === opcodes.close)?.payload;
    return payload !== undefined && payload.length >= 2 ? payload.readUInt16BE() : null;
  }

  private readHead(): Promise<void> {
    let head = '';
    return new Promise((resolve) => {
      this.socket.once('close', resolve);
      const read = (bytes: Buffer): void => {
        head += bytes.toString('latin1');
        const end = head.indexOf('\r\n\r\n');
        if (end < 0) return;
        this.status = Number(head.slice(9, 12));
        this.received = Buffer.from(head.slice(end + 4), 'latin1');
        this.socket.off('data', read);
        this.socket.on('data', (more: Buffer) => (this.received = Buffer.concat([this.received, more])));
        resolve();
      };
      this.socket.on('data', read);
    });
  }

  /** The complete frames of the server, which are not masked, in the received data. */
  private frames(): { readonly opcode: number; readonly payload: Buffer }[] {
    const frames = [];
    for (let at = 0; at + 2 <= this.received.length;) {
      const opcode = (this.received[at] as number) & 0x0f;
      let length = (this.received[at + 1] as number) & 0x7f;
      let start = at + 2;
      if (length === 126 && start + 2 <= this.received.length) {
        length = this.received.readUInt16BE(start);
        start += 2;
      }
      if (start + length > this.received.length) break;
      frames.push({ opcode, payload: this.received.subarray(start, start + length) });
      at = start + length;
    }
    return frames;
  }
}
