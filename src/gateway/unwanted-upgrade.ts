import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';

/** Headers that only request the upgrade. */
const asking = new Set(['upgrade', 'connection', 'http2-settings']);

export function wantsWebSocket({ headers }: IncomingMessage): boolean {
  return headers.upgrade?.toLowerCase() === 'websocket';
}

/**
 * Serves a request that asks for another protocol (Java's HttpClient asks for `h2c` each time) as if it had not asked,
 * which RFC 9110 (7.8) leaves to the server. Once there is an upgrade listener, Node hands over every upgrade with its
 * socket, so the request is fed back to the server without those headers.
 */
export function serveWithoutUpgrade(server: Server, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  const lines = [`${request.method} ${request.url} HTTP/${request.httpVersion}`];
  for (let index = 0; index < request.rawHeaders.length; index += 2) {
    const [name, value] = request.rawHeaders.slice(index, index + 2) as [string, string];
    if (!asking.has(name.toLowerCase())) lines.push(`${name}: ${value}`);
  }
  if (head.length > 0) socket.unshift(head);
  // Header bytes are latin1 in the parser as well.
  socket.unshift(Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'));
  server.emit('connection', socket);
}
