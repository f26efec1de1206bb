import { isIPv6 } from 'node:net';

/**
 * Who stands behind an address: the address itself for IPv4 (also when written as `::ffff:192.0.2.1`), the /64 network
 * for IPv6, since one subscriber is given at least a whole one and could come from a new address with each guess.
 */
export function networkOf(address: string): string {
  if (!isIPv6(address)) return address;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped) return mapped[1] as string;
  const [head = '', tail] = address.split('::');
  const first = head === '' ? [] : head.split(':');
  // `::` stands for as many zero groups as are missing from eight; a dotted end counts as two.
  const last = tail ? tail.replace(/\d+\.\d+\.\d+\.\d+$/, '0:0').split(':') : [];
  const groups =
    tail === undefined ? first : [...first, ...Array<string>(8 - first.length - last.length).fill('0'), ...last];
  return `${groups
    .slice(0, 4)
    .map((group) => parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}
