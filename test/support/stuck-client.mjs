/**
 * Loaded into a service with `--import`: what it sends to 127.0.0.2 is never delivered, as if the client did not read
 * and the path to it were narrow. On the loopback interface the kernel would buffer some megabytes per socket.
 */
import { Server } from 'node:net';

const { emit } = Server.prototype;
/** @type {(this: Server, event: string, ...args: any[]) => boolean} */
function emitNarrowed(event, ...args) {
  const [socket] = args;
  if (event === 'connection' && socket.remoteAddress === '127.0.0.2') socket._write = () => undefined;
  return Reflect.apply(emit, this, [event, ...args]);
}
Server.prototype.emit = emitNarrowed;
