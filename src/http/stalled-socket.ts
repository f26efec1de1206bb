import type { HttpSocket } from './pending-answers.js';

/**
 * What becomes of a socket on which nothing moved for a while. Who does not take what we send would hold it in our
 * memory for ever; who waits for us, as a login does for its turn to be hashed, is not at fault.
 */
export function endStalled(socket: HttpSocket): void {
  const waitsForUs = socket._httpMessage != null && socket.writableLength === 0;
  if (!waitsForUs) socket.destroy();
}
