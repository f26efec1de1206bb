import { SetMetadata } from '@nestjs/common';
import { type RatePool, userSystemPerSecond } from './rate-limits.service.js';

export const rateLimitKey = 'rollcall:rate-limit';

export interface RateLimitRule {
  readonly perSecond: number;
  readonly pool: RatePool;
}

/**
 * How often each app may call this handler, or each handler of this controller that has no limit of its own. Handlers
 * with the default of the user system share its pool, those with another number have their own bucket (see `RatePool`);
 * `options.pool` overrides that.
 */
export function RateLimit(
  perSecond: number = userSystemPerSecond,
  options: { pool?: RatePool } = {},
): MethodDecorator & ClassDecorator {
  const pool = options.pool ?? (perSecond === userSystemPerSecond ? 'users' : 'own');
  return SetMetadata<string, RateLimitRule>(rateLimitKey, { perSecond, pool });
}
