import type { FastifyRequest } from 'fastify';
import { isIPv6 } from 'node:net';
import { readAddress } from '../../http/client-address.js';

/** This service's origin as the caller sees it: `PUBLIC_URL`, or the request's scheme and host. */
export function originOf({ server, protocol, host, socket: { localAddress, localPort } }: FastifyRequest): string {
  if (server.rollcall.publicUrl !== null) return server.rollcall.publicUrl;
  if (host !== '') return `${protocol}://${host}`;
  // HTTP/1.0 has no Host header. The address that was called will do.
  const address = readAddress(localAddress) ?? '';
  return `${protocol}://${isIPv6(address) ? `[${address}]` : address}:${localPort}`;
}
