import { setTimeout as sleep } from 'node:timers/promises';
import { Cluster, Redis, type RedisOptions } from 'ioredis';
import { redisClusterNodes } from '../config/env.js';

export type RedisConnection = Redis | Cluster;

/** How often the slots are reloaded, in addition to whenever a node says that it does not have a key. */
const slotsRefreshMs = 5_000;
/** A redirection by an outdated node, another one, and the end. */
const maxRedirections = 3;

/**
 * Opens a connection to the server that `url` names, or to the cluster. Connects when told to.
 * @param ca certificates in PEM to verify it with; null: those that Node.js trusts
 */
export function openRedis(url: string, ca: string | null, options: RedisOptions): RedisConnection {
  const nodes = redisClusterNodes(url);
  const tls = ca === null ? {} : { ca };
  if (nodes === null)
    return new Redis(url, { ...options, lazyConnect: true, ...(url.startsWith('rediss:') ? { tls } : {}) });
  const { username, password, protocol } = new URL(nodes[0] as string);
  const secure = protocol === 'rediss:';
  return new Cluster([...nodes], {
    lazyConnect: true,
    enableOfflineQueue: options.enableOfflineQueue ?? true,
    clusterRetryStrategy: options.retryStrategy as (attempt: number) => number | null,
    slotsRefreshTimeout: 1_000,
    slotsRefreshInterval: slotsRefreshMs,
    maxRedirections,
    // Its own wait for an unreachable node or a cluster that is down would delay callers by seconds.
    retryDelayOnFailover: 0,
    retryDelayOnClusterDown: 0,
    // With an address instead of a name, the names in certificates would not match.
    ...(secure ? { dnsLookup: (address, callback) => callback(null, address) } : {}),
    redisOptions: {
      ...options,
      ...(username === '' ? {} : { username: decodeURIComponent(username) }),
      ...(password === '' ? {} : { password: decodeURIComponent(password) }),
      ...(secure ? { tls } : {}),
    },
  });
}

/** The servers that accept writes, each on its own. */
export function serversOf(connection: RedisConnection): Redis[] {
  return connection instanceof Redis ? [connection] : connection.nodes('master');
}

/**
 * Waits for a connection, for a bounded time: a cluster that serves only some of its slots reports neither success nor
 * failure.
 */
export async function connectWithin(connection: RedisConnection, ms: number): Promise<void> {
  const late = new AbortController();
  try {
    await Promise.race([
      connection.connect(),
      sleep(ms, undefined, { signal: late.signal }).then(() => {
        throw new Error('it is not ready to serve');
      }),
    ]);
  } finally {
    late.abort();
  }
}
