import { AppError } from '../../errors/app-error.js';

const defaultLimit = 10;
const maxLimit = 100;

/**
 * `limit` and `cursor` of a list. A limit out of range is moved into it, as the vendor does above 100; text that is no
 * whole number is refused. Unknown members are ignored: SDKs send some.
 * @throws AppError argument_invalid, cursor_invalid
 */
export function pageOf(query: Record<string, unknown>): { limit: number; cursor: string | null } {
  const { limit, cursor } = query;
  if (cursor !== undefined && typeof cursor !== 'string') throw new AppError('cursor_invalid');
  // An empty cursor is what a client sends that passes on the cursor of a last page.
  return { limit: limitOf(limit), cursor: cursor === undefined || cursor === '' ? null : cursor };
}

function limitOf(limit: unknown): number {
  if (limit === undefined || limit === '') return defaultLimit;
  if (typeof limit !== 'string' || !/^-?\d{1,15}$/.test(limit))
    throw new AppError('argument_invalid', { detail: `limit must be a whole number from 1 to ${maxLimit}` });
  return Math.min(Math.max(Number(limit), 1), maxLimit);
}
