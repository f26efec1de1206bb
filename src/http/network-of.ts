import ipaddr from 'ipaddr.js';
import { readAddress } from './client-address.js';

/**
 * Who stands behind an address: the address itself for IPv4 (also when written inside of IPv6), the /64 network for IPv6,
 * since one subscriber is given at least a whole one and could come from a new address with each guess.
 */
export function networkOf(text: string): string {
  const address = readAddress(text);
  if (address === null) return text;
  const parsed = ipaddr.parse(address);
  if (!(parsed instanceof ipaddr.IPv6)) return address;
  const network = parsed.parts.slice(0, 4).map((group) => group.toString(16));
  return `${network.join(':')}::/64`;
}
