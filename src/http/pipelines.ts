import type { IncomingMessage, Server } from 'node:http';
import type { HttpSocket } from './pending-answers.js';

/** Node's own parser of a socket. `onIncoming` is told of each head, and answers llhttp how to go on. */
interface ParsedSocket extends HttpSocket {
  readonly parser?: {
    onIncoming: (request: IncomingMessage, keepAlive: boolean) => number;
    resume(): void;
    execute(bytes: Buffer): unknown;
  } | null;
}

/** What Node reports of a parser that stopped, with the bytes it was given and how many of them it took. */
interface ParserStop extends NodeJS.ErrnoException {
  readonly rawPacket?: unknown;
  readonly bytesParsed?: number;
}

const goOn = 0;
/** HPE_PAUSED: llhttp stops behind this head, and keeps its place. */
const pause = 21;

/**
 * Holds what a client sends without waiting for answers. Node parses every request of a packet at once, over a thousand
 * of them, and begins to serve all; so a hundred clients that send and never read could fill the memory. Here a socket
 * has at most two requests that are not answered, the one in front and the one behind it. What follows stays bytes,
 * at most one packet of them, and the socket is not read until the one in front is answered.
 */
export class Pipelines {
  /** Sockets whose answer in front is given, in the order in which they may go on. */
  private readonly due: ParsedSocket[] = [];

  guard(server: Server): void {
    // After Node's own listener, which has made the parser; again for a socket that starts anew (`serveWithoutUpgrade`).
    server.on('connection', (socket: ParsedSocket) => {
      const { parser } = socket;
      if (parser == null) return;
      const { onIncoming } = parser;
      const release = (): void => this.release(socket);
      parser.onIncoming = (request, keepAlive) => {
        const verdict = onIncoming(request, keepAlive);
        const inFront = socket._httpMessage;
        if (verdict !== goOn || inFront == null || inFront.req === request) return verdict;
        inFront.once('close', release);
        return pause;
      };
    });
  }

  /** Node reports the pause where it reports broken requests. @returns whether it was one */
  hold({ code, rawPacket, bytesParsed }: ParserStop, socket: ParsedSocket): boolean {
    if (code !== 'HPE_PAUSED' || !Buffer.isBuffer(rawPacket)) return false;
    socket.parser?.resume();
    socket.pause();
    // Node starts a socket again whenever a body is read or an answer was taken.
    socket.resume = () => socket;
    const rest = rawPacket.subarray(bytesParsed);
    // A request without a body is complete with its head, but llhttp finds that out when it is asked the next time.
    socket.parser?.execute(rest.subarray(0, 0));
    if (rest.length > 0) socket.unshift(rest);
    return true;
  }

  /** One socket in each turn of the event loop: who sends one request at a time does not wait behind all the others. */
  private release(socket: ParsedSocket): void {
    if (this.due.push(socket) === 1) setImmediate(this.releaseNext);
  }

  private readonly releaseNext = (): void => {
    const socket = this.due.shift();
    if (this.due.length > 0) setImmediate(this.releaseNext);
    if (socket === undefined || socket.destroyed) return;
    delete (socket as Partial<ParsedSocket>).resume;
    socket.resume();
  };
}
