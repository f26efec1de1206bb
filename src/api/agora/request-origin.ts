import type { FastifyRequest } from 'fastify';
import { isIPv6 } from 'node:net';
import { readAddress } from '../../http/client-address.js';

/** What the addresses of this service begin with, as the caller sees it: `PUBLIC_URL`, or scheme and host of the request. */
export function originOf({ server, protocol, host, socket: { localAddress, localPort } }: FastifyRequest): string {
  if (server.rollcall.publicUrl !== null) return server.rollcall.publicUrl;
  if (host !== '') return `${protocol}://${host}`;
  // HTTP/1.0 knows no Host. The address that was called is a name as well.
  const address = readAddress(localAddress) ?? '';
  return `${protocol}://${isIPv6(address) ? `[${address}]` : address}:${localPort}`;
}
