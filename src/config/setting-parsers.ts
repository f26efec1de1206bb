import proxyAddr from '@fastify/proxy-addr';
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { mysqlForm, parseMysqlAddress } from './mysql-address.js';
import { parseSqliteUrl } from './sqlite-url.js';

export interface BootstrapApp {
  readonly org: string;
  readonly name: string;
  readonly appId: string;
  readonly certificate: string;
  readonly alias: string | null;
}

export interface PasswordCost {
  readonly memoryKib: number;
  readonly iterations: number;
  readonly parallelism: number;
}

/**
 * The nodes of a Redis Cluster, each as a URL with the shared user and password; null if `redisUrl` names a single
 * server.
 */
export function redisClusterNodes(redisUrl: string): readonly string[] | null {
  const [, scheme, credentials = '', nodes = ''] = /^(rediss?)-cluster:\/\/([^@/]*@)?([^@/]*)\/?$/.exec(redisUrl) ?? [];
  return scheme === undefined ? null : nodes.split(',').map((node) => `${scheme}://${credentials}${node}`);
}

function fail(sentence: string): never {
  throw new Error(sentence);
}

export function optional<Value>(parse: (text: string) => Value): (text: string) => Value | null {
  return (text) => (text === '' ? null : parse(text));
}

export function integer(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : NaN;
    return value >= min && value <= max ? value : fail(`must be a whole number from ${min} to ${max}`);
  };
}

export function parsePoolSize(text: string): number {
  return text === '1'
    ? fail('must be 2 or more: a migration needs one, and the beat of its lock another')
    : integer(2, 1_000)(text);
}

export function oneOf<Value extends string>(values: readonly Value[]): (text: string) => Value {
  return (text) => values.find((value) => value === text) ?? fail(`must be one of ${values.join(', ')}`);
}

export function nonEmpty(text: string): string {
  return text === '' ? fail('must not be empty') : text;
}

export function parseHost(text: string): string {
  return /^[A-Za-z0-9.:_-]+$/.test(text) ? text : fail('must be a host name or an IP address, such as 127.0.0.1');
}

export function parsePublicUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : fail('must be a URL such as https://chat.example.com');
  if (!['http:', 'https:'].includes(url.protocol)) fail('must start with http:// or https://');
  if (/[?#]/.test(text)) fail('must have no query, as paths are put behind it');
  return text.replace(/\/+$/, '');
}

export function parseAddressRanges(text: string): string[] {
  const ranges = text.split(',').flatMap((part) => part.trim() || []);
  for (const range of ranges) {
    const [address = ''] = range.split('/', 1);
    try {
      if (isIP(address) === 0) throw new Error();
      proxyAddr.compile(range);
    } catch {
      fail('must be IP addresses or CIDR ranges with commas between them, such as 10.0.0.0/8');
    }
  }
  return ranges;
}

export function parseOrigins(text: string): string[] {
  const origins = text.split(',').flatMap((part) => part.trim() || []);
  for (const origin of origins)
    if (!URL.canParse(origin) || new URL(origin).origin !== origin)
      fail('must be origins with commas between them, such as https://chat.example.com');
  return origins;
}

export function parseCorsOrigin(text: string): '*' | string[] {
  return text === '*' ? '*' : parseOrigins(nonEmpty(text));
}

export function parseDatabaseUrl(text: string): string {
  if (text.startsWith('sqlite:')) return parseSqliteUrl(text);
  if (!text.startsWith('mysql:')) return fail(`must be sqlite:PATH, sqlite::memory: or ${mysqlForm}`);
  parseMysqlAddress(text);
  return text;
}

export function readCertificates(path: string): string {
  try {
    const pem = readFileSync(path, 'utf8');
    // Parses the first one; otherwise an invalid certificate would only be noticed when a server presents its own.
    new X509Certificate(pem);
    return pem;
  } catch {
    return fail('must be the path of a file with certificates in PEM that this process may read');
  }
}

export function parseRedisUrl(text: string): string {
  const nodes = redisClusterNodes(text);
  for (const node of nodes ?? [text]) {
    const url = URL.canParse(node) ? new URL(node) : null;
    if (url === null || !['redis:', 'rediss:'].includes(url.protocol) || url.hostname === '' || !isDecodable(url))
      return fail(
        'must be redis://user:password@host:port, or redis-cluster://host:port,host:port for a Redis Cluster (rediss: with TLS)',
      );
    if (!/^(\/\d{0,5})?$/.test(url.pathname)) fail('must have a number where it names a database: redis://host:port/0');
    // How Node.js resolves the host; some providers have names with IPv6 addresses only.
    const parameters = [...url.searchParams].filter(([name, value]) => name !== 'family' || !/^[046]$/.test(value));
    if (parameters.length > 0 || url.hash !== '')
      fail('must have no parameters (but family=0, 4 or 6): for TLS begin it with rediss://');
  }
  return text;
}

function isDecodable({ username, password }: URL): boolean {
  try {
    decodeURIComponent(username + password);
    return true;
  } catch {
    return false;
  }
}

export function parsePasswordCost(text: string): PasswordCost {
  const match = /^m=(\d{1,7}),t=(\d{1,3}),p=(\d{1,2})$/.exec(text);
  const [memoryKib, iterations, parallelism] = (match?.slice(1) ?? []).map(Number);
  if (!memoryKib || !iterations || !parallelism || memoryKib < 8 * parallelism)
    return fail('must be argon2id parameters such as m=19456,t=2,p=1 (m in KiB, at least 8 times p)');
  return { memoryKib, iterations, parallelism };
}

export function parseBootstrapApps(text: string): BootstrapApp[] {
  return text
    .split(',')
    .flatMap((part) => part.trim() || [])
    .map((part) => {
      const [, org, name, appId, certificate, alias] =
        /^([A-Za-z0-9._-]+)\/([A-Za-z0-9._-]+):([0-9a-fA-F]{32}):([0-9a-fA-F]{32})(?::([A-Za-z0-9._-]+))?$/.exec(
          part,
        ) ??
        fail('must be org/app:appId:appCertificate[:alias] with commas between them, id and certificate 32 hex digits');
      return {
        org: org as string,
        name: name as string,
        appId: (appId as string).toLowerCase(),
        certificate: certificate as string,
        alias: alias ?? null,
      };
    });
}
