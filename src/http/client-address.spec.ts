import type { IncomingMessage } from 'node:http';
import { clientAddressOf, readAddress, trustedProxies } from './client-address.js';

describe('readAddress', () => {
  it.each([
    ['203.0.113.8', '203.0.113.8'],
    [' 203.0.113.8 ', '203.0.113.8'],
    ['203.0.113.8:50000', '203.0.113.8'],
    ['[203.0.113.8]', '203.0.113.8'],
    ['::ffff:203.0.113.8', '203.0.113.8'],
    ['::ffff:cb00:7108', '203.0.113.8'],
    ['[::ffff:cb00:7108]:443', '203.0.113.8'],
    ['2001:DB8:0:0::1', '2001:db8::1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['[2001:db8::1]:50000', '2001:db8::1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['[fe80::1%25eth0]:80', 'fe80::1'],
  ])('%s is %s', (text, address) => expect(readAddress(text)).toBe(address));

  it.each([
    '',
    'unknown',
    '_hidden',
    'localhost',
    '1.2.3',
    '999.1.1.1',
    '0x7f.0.0.1',
    '1',
    '[]',
    '[::1',
    '1.2.3.4:x',
    '::1]:2',
  ])('%s is none', (text) => expect(readAddress(text)).toBeNull());
});

describe('clientAddressOf', () => {
  const isTrusted = trustedProxies(['10.0.0.0/8', 'fd00::/8']);
  const from = (remoteAddress: string | undefined, forwarded?: string) =>
    ({ socket: { remoteAddress }, headers: { 'x-forwarded-for': forwarded } }) as unknown as IncomingMessage;

  it.each([
    ['the connection, without a proxy', '203.0.113.8', undefined, '203.0.113.8'],
    ['the connection, whatever an untrusted one says', '203.0.113.8', '198.51.100.1', '203.0.113.8'],
    ['the nearest that is no proxy', '10.0.0.1', '198.51.100.1, 203.0.113.8, 10.0.0.2', '203.0.113.8'],
    ['the same without its port', '10.0.0.1', '198.51.100.1, 203.0.113.8:50000', '203.0.113.8'],
    ['behind a proxy that is written with a port', '10.0.0.1', '203.0.113.8:50000, 10.0.0.2:4711', '203.0.113.8'],
    ['behind a proxy inside of IPv6', '::ffff:10.0.0.1', '203.0.113.8', '203.0.113.8'],
    ['behind a proxy inside of IPv6, in hexadecimal', '10.0.0.1', '203.0.113.8, ::ffff:a00:2', '203.0.113.8'],
    ['an IPv6 address in brackets', 'fd00::1', '[2001:db8::1]:50000', '2001:db8::1'],
    ['the proxy, when it says what is no address', '10.0.0.1', '203.0.113.8, unknown', '10.0.0.1'],
    ['the nearest proxy that is one, when the rest is nonsense', '10.0.0.1', 'x, 10.0.0.3', '10.0.0.3'],
    ['the proxy, when it says nothing', '10.0.0.1', '', '10.0.0.1'],
    ['nobody, when the connection is gone', undefined, undefined, ''],
  ])('is %s', (_what, remote, forwarded, address) =>
    expect(clientAddressOf(from(remote, forwarded), isTrusted)).toBe(address),
  );
});
