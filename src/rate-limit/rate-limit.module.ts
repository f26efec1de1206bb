import { Module } from '@nestjs/common';
import { Clock } from '../clock/clock.js';
import { RedisService } from '../redis/redis.service.js';
import { MemoryRateLimitStore } from './memory-rate-limit.store.js';
import { RateLimitStore } from './rate-limit.store.js';
import { RateLimits } from './rate-limits.service.js';
import { RedisRateLimitStore } from './redis-rate-limit.store.js';

@Module({
  providers: [
    RateLimits,
    {
      provide: RateLimitStore,
      useFactory: (redis: RedisService, clock: Clock): RateLimitStore =>
        redis.enabled ? new RedisRateLimitStore(redis, clock) : new MemoryRateLimitStore(clock),
      inject: [RedisService, Clock],
    },
  ],
  exports: [RateLimits],
})
export class RateLimitModule {}
