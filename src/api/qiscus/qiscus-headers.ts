import type { FastifyRequest } from 'fastify';

/**
 * A header by its name with dashes. Clients write underscores as well, and one in the same request as the other
 * (the vendor's own examples do).
 */
export function headerOf(request: FastifyRequest, name: string): string | undefined {
  const usual = request.headers[name];
  if (typeof usual === 'string' && usual.trim() !== '') return usual.trim();
  for (const [header, value] of Object.entries(request.headers))
    if (header.replaceAll('_', '-') === name && typeof value === 'string' && value.trim() !== '') return value.trim();
  return undefined;
}
