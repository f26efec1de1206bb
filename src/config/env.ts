import { availableParallelism } from 'node:os';
import { parseMysqlAddress } from './mysql-address.js';
import { parseSealingKeys, readSealingKeys, type SealingKey } from './sealing-keys.js';
import {
  optional,
  integer,
  parsePoolSize,
  oneOf,
  nonEmpty,
  parseHost,
  parsePublicUrl,
  parseAddressRanges,
  parseOrigins,
  parseCorsOrigin,
  parseDatabaseUrl,
  readCertificates,
  parseRedisUrl,
  parsePasswordCost,
  parseBootstrapApps,
  type BootstrapApp,
  type PasswordCost,
} from './setting-parsers.js';

export { type BootstrapApp, type PasswordCost, redisClusterNodes } from './setting-parsers.js';
export type { SealingKey } from './sealing-keys.js';

export type DatabaseEngine = 'sqlite' | 'mysql';
export const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

/** The environment, read and validated once. Also the injection token of its own value. */
export abstract class Env {
  abstract readonly host: string;
  abstract readonly port: number;
  /** What `uri` members start with, without a trailing slash; null: taken from each request. */
  abstract readonly publicUrl: string | null;
  abstract readonly trustProxy: readonly string[];
  /** Web pages that may call over HTTP, by their Origin header. */
  abstract readonly corsOrigin: '*' | readonly string[];
  abstract readonly databaseUrl: string;
  /** CA certificates in PEM to verify the database server with; null: those that Node.js trusts. */
  abstract readonly databaseCa: string | null;
  abstract readonly databasePoolSize: number;
  abstract readonly databaseStatementTimeoutMs: number;
  abstract readonly databaseAcquireTimeoutMs: number;
  abstract readonly redisUrl: string | null;
  /** The same for Redis. */
  abstract readonly redisCa: string | null;
  abstract readonly bootstrapApps: readonly BootstrapApp[];
  /** Keys that seal the secrets of apps: the first one seals, all of them open; null as the first one: seal nothing. */
  abstract readonly sealingKeys: readonly (SealingKey | null)[];
  /** The same from a file; used if `sealingKeys` is empty. */
  abstract readonly sealingKeysOfFile: readonly (SealingKey | null)[];
  abstract readonly passwordCost: PasswordCost;
  abstract readonly passwordConcurrency: number;
  abstract readonly shutdownDrainMs: number;
  /** How long an idle connection is kept. */
  abstract readonly keepAliveTimeoutMs: number;
  /** HTTP connections per address (IPv6: per /64 network) that is not a trusted proxy. */
  abstract readonly maxConnectionsPerAddress: number;
  /** A socket that is silent for this long is pinged, and closed if it does not answer within 10 s. */
  abstract readonly gatewayPingMs: number;
  abstract readonly gatewayLoginTimeoutMs: number;
  /** Web pages that may connect, by their Origin header; empty: all. Programs that send none are always allowed. */
  abstract readonly gatewayAllowedOrigins: readonly string[];
  /** Sockets of this node, logged in or not. */
  abstract readonly gatewayMaxSessions: number;
  /** Sockets per address (IPv6: per /64 network) that have not logged in yet. */
  abstract readonly gatewayMaxPendingPerAddress: number;
  abstract readonly metricsToken: string | null;
  abstract readonly logLevel: LogLevel;
}

/** One setting: turns its text into a value, or throws a sentence that says what would be right. */
interface Setting<Value> {
  readonly variable: string;
  readonly default: string;
  readonly parse: (text: string) => Value;
}

type Settings = { readonly [Key in keyof Env]: Setting<Env[Key]> };

/** Every setting of Rollcall. `.env.example` lists the same names and defaults; a test compares the two. */
export const settings: Settings = {
  host: { variable: 'HOST', default: '127.0.0.1', parse: parseHost },
  port: { variable: 'PORT', default: '3000', parse: integer(0, 65_535) },
  publicUrl: { variable: 'PUBLIC_URL', default: '', parse: optional(parsePublicUrl) },
  trustProxy: { variable: 'TRUST_PROXY', default: '', parse: parseAddressRanges },
  corsOrigin: { variable: 'CORS_ORIGIN', default: '*', parse: parseCorsOrigin },
  databaseUrl: { variable: 'DATABASE_URL', default: 'sqlite:./data/rollcall.sqlite', parse: parseDatabaseUrl },
  databaseCa: { variable: 'DATABASE_CA_FILE', default: '', parse: optional(readCertificates) },
  databasePoolSize: { variable: 'DATABASE_POOL_SIZE', default: '10', parse: parsePoolSize },
  databaseStatementTimeoutMs: {
    variable: 'DATABASE_STATEMENT_TIMEOUT_MS',
    default: '2000',
    parse: integer(100, 600_000),
  },
  databaseAcquireTimeoutMs: { variable: 'DATABASE_ACQUIRE_TIMEOUT_MS', default: '500', parse: integer(10, 60_000) },
  redisUrl: { variable: 'REDIS_URL', default: '', parse: optional(parseRedisUrl) },
  redisCa: { variable: 'REDIS_CA_FILE', default: '', parse: optional(readCertificates) },
  bootstrapApps: { variable: 'BOOTSTRAP_APPS', default: '', parse: parseBootstrapApps },
  sealingKeys: { variable: 'SEALING_KEY', default: '', parse: parseSealingKeys },
  sealingKeysOfFile: { variable: 'SEALING_KEY_FILE', default: '', parse: readSealingKeys },
  passwordCost: { variable: 'PASSWORD_COST', default: 'm=19456,t=2,p=1', parse: parsePasswordCost },
  passwordConcurrency: {
    variable: 'PASSWORD_CONCURRENCY',
    default: '',
    parse: (text) => (text === '' ? availableParallelism() : integer(1, 64)(text)),
  },
  shutdownDrainMs: { variable: 'SHUTDOWN_DRAIN_MS', default: '1000', parse: integer(0, 600_000) },
  keepAliveTimeoutMs: { variable: 'KEEP_ALIVE_TIMEOUT_MS', default: '620000', parse: integer(1_000, 86_400_000) },
  maxConnectionsPerAddress: { variable: 'MAX_CONNECTIONS_PER_ADDRESS', default: '5000', parse: integer(1, 10_000_000) },
  gatewayPingMs: { variable: 'GATEWAY_PING_MS', default: '25000', parse: integer(100, 600_000) },
  gatewayLoginTimeoutMs: { variable: 'GATEWAY_LOGIN_TIMEOUT_MS', default: '5000', parse: integer(100, 60_000) },
  gatewayAllowedOrigins: { variable: 'GATEWAY_ALLOWED_ORIGINS', default: '', parse: parseOrigins },
  gatewayMaxSessions: { variable: 'GATEWAY_MAX_SESSIONS', default: '50000', parse: integer(1, 10_000_000) },
  gatewayMaxPendingPerAddress: {
    variable: 'GATEWAY_MAX_PENDING_PER_ADDRESS',
    default: '200',
    parse: integer(1, 1_000_000),
  },
  metricsToken: { variable: 'METRICS_TOKEN', default: '', parse: optional(nonEmpty) },
  logLevel: { variable: 'LOG_LEVEL', default: 'info', parse: oneOf(logLevels) },
};

export class EnvError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(
      `The environment has ${problems.length} bad setting(s):\n${problems.map((line) => `  - ${line}`).join('\n')}`,
    );
    this.name = 'EnvError';
  }
}

/** Reads and validates every setting. @throws EnvError that names each invalid variable but never repeats a value */
export function loadEnv(source: Readonly<Record<string, string | undefined>> = process.env): Env {
  const problems: string[] = [];
  const entries = Object.entries(settings).map(([key, setting]: [string, Setting<unknown>]) => {
    try {
      return [key, setting.parse((source[setting.variable] ?? setting.default).trim())];
    } catch (error) {
      problems.push(`${setting.variable} ${(error as Error).message}`);
      return [key, undefined];
    }
  });
  const env = Object.fromEntries(entries) as unknown as Env;
  if (problems.length === 0) problems.push(...contradictions(env));
  if (problems.length > 0) throw new EnvError(problems);
  return Object.freeze(env);
}

/** A setting that is valid by itself but would have no effect beside another one. */
function contradictions(env: Env): string[] {
  const problems: string[] = [];
  if (env.sealingKeys.length > 0 && env.sealingKeysOfFile.length > 0)
    problems.push('SEALING_KEY and SEALING_KEY_FILE are both set: leave one of them empty');
  if (env.databaseCa !== null) {
    const tlsMode =
      databaseEngine(env.databaseUrl) === 'mysql' ? parseMysqlAddress(env.databaseUrl).tlsMode : undefined;
    if (tlsMode !== 'VERIFY_CA' && tlsMode !== 'VERIFY_IDENTITY')
      problems.push('DATABASE_CA_FILE must go with ?ssl-mode=VERIFY_CA or VERIFY_IDENTITY in a DATABASE_URL of MySQL');
  }
  if (env.redisCa !== null && !/^rediss(-cluster)?:/.test(env.redisUrl ?? ''))
    problems.push('REDIS_CA_FILE must go with a REDIS_URL that begins with rediss:// or rediss-cluster://');
  return problems;
}

export function databaseEngine(databaseUrl: string): DatabaseEngine {
  return databaseUrl.startsWith('sqlite:') ? 'sqlite' : 'mysql';
}
