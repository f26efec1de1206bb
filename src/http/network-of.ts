import ipaddr from 'ipaddr.js';
import { readAddress } from './client-address.js';

/**
 * The network that guesses and sockets are counted by: the address itself for IPv4 (even if embedded in IPv6), the /64
 * network for IPv6, since every subscriber has at least a whole one and could use a new address for each guess.
 */
export function networkOf(text: string): string {
  const address = readAddress(text);
  if (address === null) return text;
  const parsed = ipaddr.parse(address);
  if (!(parsed instanceof ipaddr.IPv6)) return address;
  const network = parsed.parts.slice(0, 4).map((group) => group.toString(16));
  return `${network.join(':')}::/64`;
}
