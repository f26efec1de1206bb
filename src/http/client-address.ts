import proxyAddr from '@fastify/proxy-addr';
import ipaddr from 'ipaddr.js';
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';

/** Whether a proxy with this address is trusted. */
export type TrustedProxies = (address: string) => boolean;

/** @param ranges addresses and CIDR ranges */
export function trustedProxies(ranges: readonly string[]): TrustedProxies {
  const isTrusted = proxyAddr.compile([...ranges]);
  return (text) => {
    const address = readAddress(text);
    return address !== null && isTrusted(address, 0);
  };
}

/**
 * The client's address: the nearest one in `X-Forwarded-For` that is not a trusted proxy. If an entry is not an
 * address, the proxy that wrote it counts as the client. HTTP, the gateway and everything counted by address use this.
 */
export function clientAddressOf(request: IncomingMessage, isTrusted: TrustedProxies): string {
  const nearestFirst = proxyAddr.all(request, isTrusted);
  return nearestFirst.map(readAddress).findLast((address) => address !== null) ?? '';
}

/**
 * The canonical form of an address, however a proxy writes it: Azure and IIS append the connection's port, which
 * differs each time; IPv6 is then in brackets, IPv4 may be embedded in IPv6, and a link-local address may name an
 * interface (`%eth0`) that only its own machine knows. null if it is not an address.
 */
export function readAddress(text: string | undefined): string | null {
  const written = text?.trim() ?? '';
  const [, inBrackets, beforePort] = /^(?:\[(.*)\]|([\d.]+))(?::\d*)?$/.exec(written) ?? [];
  const [bare = ''] = (inBrackets ?? beforePort ?? written).split('%', 1);
  return isIP(bare) === 0 ? null : ipaddr.process(bare).toString();
}
