import type { FastifyRequest } from 'fastify';
import { AppError } from '../../errors/app-error.js';

/**
 * A header by its dashed name. Clients also use underscores, even both spellings in one request (as the vendor's own
 * examples do).
 * @throws AppError request_malformed when both spellings are present and differ: a proxy may have checked only one
 */
export function headerOf({ headers }: FastifyRequest, name: string): string | undefined {
  const others = Object.keys(headers).filter((header) => header !== name && header.replaceAll('_', '-') === name);
  const given = new Set(
    [name, ...others].flatMap((header) => {
      const value = headers[header];
      return typeof value === 'string' ? value.trim() || [] : [];
    }),
  );
  if (given.size > 1) throw new AppError('request_malformed');
  return [...given][0];
}
