import { accessSync, constants, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DataSourceOptions } from 'typeorm';

export type MysqlOptions = Extract<DataSourceOptions, { type: 'mysql' | 'mariadb' }>;

/** The database cannot be used as configured. The message is a sentence for the operator, without a stack. */
export class DatabaseRefused extends Error {
  constructor(sentence: string, options: ErrorOptions) {
    super(sentence, options);
    this.name = 'DatabaseRefused';
  }
}

/**
 * Errors of a server that will accept connections again by itself: too many connections, shutting down, cluster not
 * ready.
 */
const temporary = new Set([1040, 1047, 1053, 1129, 1203, 1205, 1213]);

interface DriverError {
  readonly name: string;
  readonly message: string;
  readonly code?: string;
  readonly errno?: number;
  readonly sqlState?: string;
}

/** Whether a MySQL-protocol server returned an error that waiting cannot fix, such as a wrong password. */
export function isRefusal(error: unknown): boolean {
  const { code = '', errno, sqlState } = driverError(error);
  if (isTlsError(code)) return true;
  // Network errors have a number as well, but no SQL state.
  return sqlState !== undefined && errno !== undefined && errno > 0 && !temporary.has(errno);
}

/**
 * Turns an error of connecting or migrating into a sentence; returns the error itself if the operator cannot fix it.
 */
export function refusalOf(error: unknown, options: DataSourceOptions): unknown {
  const sentence =
    options.type === 'mysql' ? mysqlSentence(error, options) : sqliteSentence(error, options.database as string);
  return sentence === null ? error : new DatabaseRefused(`DATABASE_URL: ${sentence}`, { cause: error });
}

function mysqlSentence(error: unknown, { host = '', port = 3306 }: MysqlOptions): string | null {
  const { code = '', message } = driverError(error);
  const server = `the server at ${host.includes(':') ? `[${host}]` : host}:${port}`;
  if (code === 'HANDSHAKE_NO_SSL_SUPPORT') return `${server} does not support TLS, which ssl-mode requires`;
  if (isTlsError(code)) return `the certificate of ${server} is not accepted: ${message}`;
  if (isRefusal(error)) return `${server} refused the connection: ${message}`;
  return isNetworkError(code) ? `${server} cannot be reached: ${message || code}` : null;
}

function sqliteSentence(error: unknown, path: string): string | null {
  const { name, code = '', message } = driverError(error);
  if (code === 'ERR_DLOPEN_FAILED' || code === 'MODULE_NOT_FOUND' || name === 'DriverPackageNotInstalledError')
    return `SQLite does not load on ${process.platform}-${process.arch} (${message.split('\n', 1)[0]}). Install the packages on this machine: npm ci`;
  // Errors from SQLite about the file, from the folders above it, and from better-sqlite3 if there is no such folder.
  if (!/^(SQLITE_(?!CONSTRAINT|ERROR)\w+|E[A-Z]+)$/.test(code) && name !== 'TypeError') return null;
  return `${path} cannot be used: ${reasonOf(path) ?? message}`;
}

function driverError(error: unknown): DriverError {
  const { driverError: inner, cause } = error as { driverError?: unknown; cause?: unknown };
  return (inner ?? (error instanceof Error && 'code' in error ? error : (cause ?? error))) as DriverError;
}

function isTlsError(code: string): boolean {
  return /^HANDSHAKE_(NO_SSL_SUPPORT|SSL_ERROR)$|CERT|^ERR_(TLS|SSL)/.test(code);
}

function isNetworkError(code: string): boolean {
  return /^(E(?!R_)[A-Z_]+|PROTOCOL_CONNECTION_LOST)$/.test(code);
}

/** SQLite itself says "unable to open database file" whatever the cause. */
function reasonOf(path: string): string | null {
  if (path === ':memory:') return null;
  const file = statSync(path, { throwIfNoEntry: false });
  if (file?.isDirectory()) return 'it is a folder';
  const folder = dirname(path);
  try {
    accessSync(folder, constants.W_OK);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? null : `the folder ${folder} is not writable`;
  }
  try {
    if (file !== undefined) accessSync(path, constants.R_OK | constants.W_OK);
    return null;
  } catch {
    return 'this process lacks permission to read and write the file';
  }
}
