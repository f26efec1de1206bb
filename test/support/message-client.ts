import { once } from 'node:events';
import { WebSocket } from 'ws';
import { TokensService } from '../../src/auth/tokens.service.js';
import { UsersService } from '../../src/users/users.service.js';
import type { RunningApp } from './start-app.js';

export type Frame = Readonly<Record<string, any>> & { readonly type: string };

/** A chat client on the gateway, which keeps every frame that it receives. */
export class MessageClient {
  readonly frames: Frame[] = [];
  /** The same frames, as they arrived. */
  readonly texts: string[] = [];
  /** Acknowledges each message as it arrives. */
  acks = true;
  private waiting: (() => void)[] = [];

  private constructor(private readonly socket: WebSocket) {
    socket.on('message', (data: Buffer) => {
      const frame = JSON.parse(data.toString()) as Frame;
      this.frames.push(frame);
      this.texts.push(data.toString());
      if (frame.type === 'message' && this.acks) this.send({ type: 'ack', id: frame['id'] as string });
      for (const wake of this.waiting.splice(0)) wake();
    });
    socket.on('error', () => undefined);
  }

  /** Logs in and waits for `ready`. */
  static async logIn(
    service: RunningApp,
    username: string,
    { acks = true, device = undefined as string | undefined } = {},
  ): Promise<MessageClient> {
    const user = await service.nest.get(UsersService).get(service.app.id, username);
    const token = service.nest.get(TokensService).issueUserToken(service.app, user, 0).accessToken;
    return MessageClient.connect(`${service.url.replace('http', 'ws')}${service.path}/ws`, token, { acks, device });
  }

  static async connect(
    url: string,
    token: string,
    { acks = true, device = undefined as string | undefined } = {},
  ): Promise<MessageClient> {
    const socket = new WebSocket(url);
    const client = new MessageClient(socket);
    client.acks = acks;
    await once(socket, 'open');
    client.send({ type: 'login', token, platform: 'web', device });
    await client.first('ready');
    return client;
  }

  get messages(): Frame[] {
    return this.frames.filter((frame) => frame.type === 'message');
  }

  /** A string is sent unchanged. */
  send(frame: Readonly<Record<string, unknown>> | string): void {
    this.socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame));
  }

  /** The first frame of this type, which may have arrived already. */
  async first(type: string): Promise<Frame> {
    return (await this.take(type, 1))[0] as Frame;
  }

  /** This many frames of this type, in order. */
  async take(type: string, count: number, withinMs = 10_000): Promise<Frame[]> {
    const found = (): Frame[] => this.frames.filter((frame) => frame.type === type);
    const until = performance.now() + withinMs;
    while (found().length < count) {
      const left = until - performance.now();
      if (left <= 0)
        throw new Error(`${found().length} of ${count} ${type} frames; last: ${JSON.stringify(this.frames.slice(-3))}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.waiting.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
    return found();
  }

  /** Everything sent before this has been handled; acks are stored a moment later. */
  async settle(): Promise<void> {
    const before = this.frames.filter((frame) => frame.type === 'pong').length;
    this.send({ type: 'ping' });
    await this.take('pong', before + 1);
  }

  async close(): Promise<void> {
    if (this.socket.readyState === WebSocket.CLOSED) return;
    const closed = once(this.socket, 'close');
    this.socket.close();
    await closed;
  }

  /** Without a close frame, like a client that dies. */
  terminate(): void {
    this.socket.terminate();
  }
}

/** Repeats until the assertion holds, for effects that follow a moment after their cause. */
export async function eventually(check: () => Promise<void> | void, withinMs = 5_000): Promise<void> {
  for (const until = performance.now() + withinMs; ;) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() > until) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
