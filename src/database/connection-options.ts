import type BetterSqlite3 from 'better-sqlite3';
import mysql, { type SslOptions } from 'mysql2';
import type { DataSourceOptions } from 'typeorm';
import type { Env } from '../config/env.js';
import { parseMysqlAddress, type TlsMode } from '../config/mysql-address.js';

const connectTimeoutMs = 1000;

/** How TypeORM connects to the configured database. */
export function connectionOptions(env: Env): DataSourceOptions {
  const shared = { migrationsTableName: 'migrations', synchronize: false, logging: false };
  if (env.databaseUrl.startsWith('sqlite:')) {
    return {
      ...shared,
      type: 'better-sqlite3',
      database: env.databaseUrl.slice('sqlite:'.length),
      prepareDatabase: (connection: unknown) => prepareSqlite(connection as BetterSqlite3.Database),
    };
  }
  const address = parseMysqlAddress(env.databaseUrl);
  return {
    ...shared,
    type: 'mysql',
    // TypeORM would look for the driver itself, and find a copy other than the bundled one.
    driver: mysql,
    host: address.host,
    port: address.port,
    username: address.user,
    password: address.password,
    database: address.database,
    ssl: tlsOptions(address.tlsMode ?? 'DISABLED', env.databaseCa),
    charset: 'utf8mb4',
    timezone: 'Z',
    supportBigNumbers: true,
    bigNumberStrings: false,
    connectTimeout: connectTimeoutMs,
    poolSize: env.databasePoolSize,
    extra: { enableKeepAlive: true, maxIdle: env.databasePoolSize, idleTimeout: 60_000, multipleStatements: false },
  };
}

/** If TLS is requested, the driver refuses a server without it. */
function tlsOptions(mode: TlsMode, ca: string | null): SslOptions | undefined {
  if (mode === 'DISABLED') return undefined;
  return {
    rejectUnauthorized: mode !== 'REQUIRED',
    verifyIdentity: mode === 'VERIFY_IDENTITY',
    ...(ca === null ? {} : { ca }),
  };
}

function prepareSqlite(connection: BetterSqlite3.Database): void {
  connection.pragma('journal_mode = WAL');
  // WAL syncs only at checkpoints by default: a power cut would lose acknowledged writes.
  connection.pragma('synchronous = FULL');
}
