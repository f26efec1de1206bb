import proxyAddr from '@fastify/proxy-addr';
import ipaddr from 'ipaddr.js';
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';

/** Whether the word of a proxy with this address counts. */
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
 * Who calls: the nearest address in `X-Forwarded-For` that is no proxy of ours. What is no address says nothing, so the
 * proxy that wrote it down counts as the caller. HTTP and the gateway ask here, and so does whatever is counted by address.
 */
export function clientAddressOf(request: IncomingMessage, isTrusted: TrustedProxies): string {
  const nearestFirst = proxyAddr.all(request, isTrusted);
  return nearestFirst.map(readAddress).findLast((address) => address !== null) ?? '';
}

/**
 * An address in its one spelling, however a proxy writes it: Azure and IIS add the port of the connection, which is
 * another one each time, IPv6 stands in brackets then, IPv4 may stand inside of IPv6, and a link has a name (`%eth0`) that only its own machine
 * knows. null: this is no address.
 */
export function readAddress(text: string | undefined): string | null {
  const written = text?.trim() ?? '';
  const [, inBrackets, beforePort] = /^(?:\[(.*)\]|([\d.]+))(?::\d*)?$/.exec(written) ?? [];
  const [bare = ''] = (inBrackets ?? beforePort ?? written).split('%', 1);
  return isIP(bare) === 0 ? null : ipaddr.process(bare).toString();
}
