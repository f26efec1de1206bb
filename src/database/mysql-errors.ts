import { AppError } from '../errors/app-error.js';
import { UniqueViolation } from './transaction.js';

const retryAfterMs = 1000;

/**
 * Errors after which the whole transaction may simply be retried: deadlock, lock wait, lost certification (Galera,
 * Group Replication), snapshot conflict (MariaDB), a node that is not ready, write conflicts and busy regions (TiDB).
 */
const retryable = new Set([1213, 1205, 1020, 1047, 1180, 3101, 3572, 8002, 8022, 8028, 9007]);
/** Those of them that mean that another transaction was faster. */
const conflicts = new Set([1213, 1020, 3101, 9007]);
/** The server is read-only: after a failover behind the same address, only a new connection reaches the new primary. */
const demoted = new Set([1290, 1836]);
const duplicateKey = 1062;
/**
 * Statements that fail because of what they say, not because of the server's state: bugs, which must become visible.
 */
const statementFaults = new Set([1054, 1064, 1146, 1265, 1364, 1366, 1406, 1048, 1264]);

/** The server did not answer a statement in time. It may still be executing it. */
export class StatementTimeout extends Error {
  constructor() {
    super('the database did not answer a statement in time');
    this.name = 'StatementTimeout';
  }
}

export function isConflict(error: unknown): boolean {
  return conflicts.has(errnoOf(error) ?? 0);
}

export function isDuplicateKey(error: unknown): boolean {
  return errnoOf(error) === duplicateKey;
}

export function isRetryable(error: unknown): boolean {
  const errno = errnoOf(error);
  if (errno === 1105) return /try again/i.test((error as Error).message);
  return errno !== null && (retryable.has(errno) || demoted.has(errno));
}

/** The server answered, or it was not asked: the connection is usable. */
export function isHealthyAfter(error: unknown): boolean {
  if (demoted.has(errnoOf(error) ?? 0)) return false;
  if (isOfEngine(error)) return errnoOf(error) !== null && (error as { fatal?: boolean }).fatal !== true;
  return true;
}

/** Translates an error for callers outside of the database. */
export function translate(error: unknown): unknown {
  if (!isOfEngine(error)) return error;
  if (isDuplicateKey(error)) return new UniqueViolation({ cause: error });
  const errno = errnoOf(error);
  if (errno !== null && statementFaults.has(errno)) return error;
  return new AppError('database_unavailable', { retryAfterMs, cause: error });
}

/** The number of an error returned by the server; null for errors of the network or the driver itself. */
function errnoOf(error: unknown): number | null {
  const { errno, sqlState } = (error ?? {}) as { errno?: unknown; sqlState?: unknown };
  // The driver's promise API puts both members on every error.
  return typeof errno === 'number' && typeof sqlState === 'string' ? errno : null;
}

/** An error of the server, the network or the driver. */
function isOfEngine(error: unknown): boolean {
  if (typeof error !== 'object' || error === null || error instanceof AppError) return false;
  return (
    error instanceof StatementTimeout ||
    'errno' in error ||
    'sqlState' in error ||
    'fatal' in error ||
    'syscall' in error
  );
}
