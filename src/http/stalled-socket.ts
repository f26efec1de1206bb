import type { HttpSocket } from './pending-answers.js';

/**
 * Handles a socket on which nothing has moved for a while. A client that stops reading would pin our buffers; one that
 * waits for us, as a login does while its password is queued, is not at fault.
 */
export function endStalled(socket: HttpSocket): void {
  const waitsForUs = socket._httpMessage != null && socket.writableLength === 0;
  if (!waitsForUs) socket.destroy();
}
