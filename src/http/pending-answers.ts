import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Node's own record of the answer that a socket is busy with; the answers to pipelined requests follow it. */
export interface HttpSocket extends Socket {
  readonly _httpMessage?: ServerResponse | null;
}

/**
 * Proceeds once every complete request on this socket has been answered, and never if the socket is gone. Node reports
 * what follows a request (an upgrade, bytes that are not a request) as soon as it has read it; an immediate answer
 * would be taken for the answer to the request before it.
 */
export function afterPendingAnswers(socket: HttpSocket, proceed: () => void): void {
  if (socket.destroyed) return;
  const answer = socket._httpMessage;
  if (answer == null || !answer.req.complete) proceed();
  else answer.once('close', () => afterPendingAnswers(socket, proceed));
}
