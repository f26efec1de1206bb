import { once } from 'node:events';
import { WebSocket } from 'ws';

const withinMs = 10_000;

/** An online device of a user, which acknowledges messages and notices when it is disconnected. */
export class SoakSession {
  /** @type {Map<string, (frame: Record<string, any>) => void>} resolvers waiting for `sent`, by ref */
  #waiting = new Map();
  #refs = 0;
  /** Set before this side closes it: any other close is a fault. */
  ending = false;

  /** @param {WebSocket} socket @param {(sentence: string) => void} onFault */
  constructor(socket, onFault) {
    this.socket = socket;
    this.closed = once(socket, 'close');
    this.closed.then(
      ([code]) => this.ending || onFault(`a session was closed with ${code}, unexpectedly`),
      () => undefined,
    );
    socket.on('error', () => undefined);
    socket.on('message', (data) => {
      const frame = JSON.parse(String(data));
      if (frame.type === 'message') this.send({ type: 'ack', id: frame.id });
      else if (frame.type === 'sent' || (frame.type === 'error' && frame.ref !== undefined)) {
        this.#waiting.get(frame.ref)?.(frame);
        this.#waiting.delete(frame.ref);
      } else if (frame.type === 'error') onFault(`the gateway sent ${data}`);
    });
  }

  /** @param {string} url of the gateway @param {string} token @param {(sentence: string) => void} onFault */
  static async open(url, token, onFault) {
    const socket = new WebSocket(url);
    socket.on('error', () => undefined);
    await once(socket, 'open', { signal: AbortSignal.timeout(withinMs) });
    socket.send(JSON.stringify({ type: 'login', token, platform: 'web', device: 'soak' }));
    const [data] = await once(socket, 'message', { signal: AbortSignal.timeout(withinMs) });
    if (JSON.parse(String(data)).type !== 'ready') throw new Error(`instead of ready: ${data}`);
    return new SoakSession(socket, onFault);
  }

  /** @param {object} frame */
  send(frame) {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(frame));
  }

  /** @param {string} to @param {object} body @returns {Promise<string>} the id of the stored message */
  async say(to, body) {
    const ref = String((this.#refs += 1));
    const frame = await new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('no `sent` in time')), withinMs);
      this.#waiting.set(ref, (answer) => {
        clearTimeout(timer);
        resolve(answer);
      });
      this.send({ type: 'send', ref, to, body });
    });
    if (frame.type !== 'sent') throw new Error(`instead of sent: ${JSON.stringify(frame)}`);
    return frame.id;
  }

  /** Closes properly, or like a device whose battery died. @param {boolean} politely */
  async leave(politely) {
    this.ending = true;
    if (politely) this.socket.close();
    else this.socket.terminate();
    await this.closed;
  }

  /** Waits until the service has disconnected it. @returns {Promise<number>} the close code */
  async disconnected() {
    const timer = setTimeout(() => this.socket.terminate(), withinMs);
    const [code] = await this.closed;
    clearTimeout(timer);
    return code;
  }
}
