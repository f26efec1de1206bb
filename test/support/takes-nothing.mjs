/**
 * Loaded into a service with `--import`: what it sends to 127.0.0.2 is never taken, as where a client does not read and
 * the way to it is narrow. On the loopback interface the kernel would take some megabytes for each socket.
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
