import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Node's own note of the answer that a socket is taken up with; the answers to pipelined requests follow it. */
export interface HttpSocket extends Socket {
  readonly _httpMessage?: ServerResponse | null;
}

/**
 * Proceeds once every request that arrived whole on this socket has been answered, and never when the socket is gone.
 * Node reports what stands behind a request (a request for an upgrade, bytes that are no request) as soon as it has read
 * it: an answer to that, written at once, would be taken for the answer to the request in front.
 */
export function afterPendingAnswers(socket: HttpSocket, proceed: () => void): void {
  if (socket.destroyed) return;
  const answer = socket._httpMessage;
  if (answer == null || !answer.req.complete) proceed();
  else answer.once('close', () => afterPendingAnswers(socket, proceed));
}
