import type { IncomingMessage, Server } from 'node:http';
import type { HttpSocket } from './pending-answers.js';

/** Node's own parser of a socket. `onIncoming` is called with each head, and tells llhttp how to continue. */
interface ParsedSocket extends HttpSocket {
  readonly parser?: {
    onIncoming: (request: IncomingMessage, keepAlive: boolean) => number;
    resume(): void;
    execute(bytes: Buffer): unknown;
  } | null;
}

/** What Node reports about a parser that stopped: the bytes it was given, and how many of them it consumed. */
interface ParserStop extends NodeJS.ErrnoException {
  readonly rawPacket?: unknown;
  readonly bytesParsed?: number;
}

const goOn = 0;
/** HPE_PAUSED: llhttp stops after this head, and keeps its position. */
const pause = 21;

/**
 * Holds back what a client sends without waiting for answers. Node parses every request in a packet at once, over a
 * thousand of them, and starts to serve all; so a hundred clients that send without reading could fill the memory.
 * Here, a socket has at most two unanswered requests, the current one and the next. Whatever follows stays bytes, at
 * most one packet of them, and the socket is not read until the current one is answered.
 */
export class Pipelines {
  /** Sockets whose current request has been answered, in the order in which they may continue. */
  private readonly due: ParsedSocket[] = [];

  guard(server: Server): void {
    // After Node's own listener, which has created the parser; again for a socket that starts over
    // (`serveWithoutUpgrade`).
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

  /** Node reports the pause in the same place as malformed requests. @returns whether it was a pause */
  hold({ code, rawPacket, bytesParsed }: ParserStop, socket: ParsedSocket): boolean {
    if (code !== 'HPE_PAUSED' || !Buffer.isBuffer(rawPacket)) return false;
    socket.parser?.resume();
    socket.pause();
    // Node resumes a socket whenever a body is read or an answer is consumed.
    socket.resume = () => socket;
    const rest = rawPacket.subarray(bytesParsed);
    // A request without a body is complete with its head, but llhttp notices only when it is called again.
    socket.parser?.execute(rest.subarray(0, 0));
    if (rest.length > 0) socket.unshift(rest);
    return true;
  }

  /**
   * One socket per turn of the event loop: a client that sends one request at a time does not wait behind the others.
   */
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
