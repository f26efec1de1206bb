import { Logger } from '@nestjs/common';
import type { Result } from 'ioredis';
import type { Clock } from '../clock/clock.js';
import type { RedisService } from '../redis/redis.service.js';
import { RedisUnavailable } from '../redis/redis-unavailable.js';
import { MemoryRateLimitStore } from './memory-rate-limit.store.js';
import { admitted, type Decision, RateLimitStore, refused } from './rate-limit.store.js';

/** The longest time for which a refusal is cached here: a refund on another node is noticed after that. */
const maxRememberedMs = 1_000;
const maxRememberedKeys = 100_000;

/**
 * A list of admission times per key, newest first, in microseconds of Redis's own clock. Expired times are removed from
 * the end, each once, so the list never exceeds the limit and the cost of a call does not depend on it. Returns
 * {allowed, remaining, retryAfter, reset}, the last two in microseconds.
 */
const consumeScript = `
local key, limit, window, calls = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local ttl = math.ceil(window / 1000) + 1000
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local oldest = redis.call('LINDEX', key, -1)
if oldest and tonumber(oldest) > now then
  -- The clock was set back. Every call counts as made now: no more are admitted, and nobody waits beyond one window.
  -- After a smaller step, some calls only stay for as much longer as it was.
  local count = redis.call('LLEN', key)
  redis.call('DEL', key)
  for _ = 1, count do redis.call('LPUSH', key, string.format('%.0f', now)) end
  oldest = now
end
while oldest and now - oldest >= window do
  redis.call('RPOP', key)
  oldest = redis.call('LINDEX', key, -1)
end
local count = redis.call('LLEN', key)
if count + calls > limit then
  local inTheWay = redis.call('LINDEX', key, limit - count - calls)
  return {0, 0, inTheWay + window - now, redis.call('LINDEX', key, 0) + window - now}
end
for _ = 1, calls do redis.call('LPUSH', key, string.format('%.0f', now)) end
redis.call('PEXPIRE', key, ttl)
return {1, limit - count - calls, 0, window}
`;

declare module 'ioredis' {
  interface RedisCommander<Context> {
    consumeRateLimit(key: string, limit: number, windowMicros: number, calls: number): Result<number[], Context>;
  }
}

interface Refusal {
  /** A call that counts for less may still fit. */
  readonly calls: number;
  /** Until then, Redis would refuse again; monotonic, like the others. */
  readonly knownUntil: number;
  readonly retryAt: number;
  readonly resetAt: number;
}

/**
 * Admission times in Redis: the limit holds across all nodes, and only Redis's clock matters. Refusals are cached here,
 * so a flood of refused calls costs neither Redis nor us. While Redis does not answer, this node admits its own share
 * of the limit; around such a change, a window may hold up to both together.
 */
export class RedisRateLimitStore extends RateLimitStore {
  private readonly logger = new Logger('RateLimit');
  private readonly local: MemoryRateLimitStore;
  private readonly refusals = new Map<string, Refusal>();
  private complained = false;

  /** @param nodes how many nodes share the limits, for when Redis is down */
  constructor(
    private readonly redis: RedisService,
    private readonly clock: Clock,
    private readonly nodes: () => number = () => 1,
  ) {
    super();
    this.local = new MemoryRateLimitStore(clock);
    redis.defineScript('consumeRateLimit', { numberOfKeys: 1, lua: consumeScript });
  }

  consume(key: string, limit: number, windowMs: number, weight = 1): Decision | Promise<Decision> {
    const calls = Math.min(weight, limit);
    const now = this.clock.monotonic();
    const refusal = this.refusals.get(key);
    if (refusal !== undefined && calls >= refusal.calls) {
      if (now < refusal.knownUntil) return refused(limit, refusal.retryAt - now, refusal.resetAt - now);
      this.refusals.delete(key);
    }
    if (!this.redis.availableFor(key)) return this.consumeAlone(key, limit, windowMs, calls);
    return this.consumeTogether(key, limit, windowMs, calls, now);
  }

  async refund(key: string): Promise<void> {
    this.refusals.delete(key);
    try {
      await this.redis.run(key, (redis) => redis.lpop(key));
    } catch (error) {
      this.complain(error);
      this.local.refund(key);
    }
  }

  private async consumeTogether(
    key: string,
    limit: number,
    windowMs: number,
    calls: number,
    askedAt: number,
  ): Promise<Decision> {
    try {
      const [allowed, remaining, retryMicros, resetMicros] = (await this.redis.run(key, (redis) =>
        redis.consumeRateLimit(key, limit, windowMs * 1_000, calls),
      )) as [number, number, number, number];
      this.complained = false;
      if (allowed === 1) return admitted(limit, remaining, windowMs);
      this.remember(key, calls, askedAt, retryMicros / 1_000, resetMicros / 1_000);
      return refused(limit, retryMicros / 1_000, resetMicros / 1_000);
    } catch (error) {
      this.complain(error);
      return this.consumeAlone(key, limit, windowMs, calls);
    }
  }

  private consumeAlone(key: string, limit: number, windowMs: number, calls: number): Decision {
    const share = Math.max(1, Math.floor(limit / Math.max(1, this.nodes())));
    return { ...this.local.consume(key, share, windowMs, calls), limit };
  }

  /**
   * Counted from when Redis was asked, which is before it looked at its clock, so never longer than it would refuse.
   */
  private remember(key: string, calls: number, askedAt: number, retryMs: number, resetMs: number): void {
    if (this.refusals.size >= maxRememberedKeys) this.refusals.clear();
    const knownUntil = askedAt + Math.min(retryMs, maxRememberedMs);
    this.refusals.set(key, { calls, knownUntil, retryAt: askedAt + retryMs, resetAt: askedAt + resetMs });
  }

  /** An outage is in the log already; a Redis that refuses our commands (because of its ACL, say) is reported once. */
  private complain(error: unknown): void {
    if (error instanceof RedisUnavailable || this.complained) return;
    this.complained = true;
    this.logger.error(`Redis refuses a rate-limit command, so each node limits alone: ${(error as Error).message}`);
  }
}
