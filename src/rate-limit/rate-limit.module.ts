import { Module } from '@nestjs/common';
import { Clock } from '../clock/clock.js';
import { PresenceModule } from '../presence/presence.module.js';
import { PresenceService } from '../presence/presence.service.js';
import { RedisService } from '../redis/redis.service.js';
import { MemoryRateLimitStore } from './memory-rate-limit.store.js';
import { RateLimitStore } from './rate-limit.store.js';
import { RateLimits } from './rate-limits.service.js';
import { RedisRateLimitStore } from './redis-rate-limit.store.js';

@Module({
  imports: [PresenceModule],
  providers: [
    RateLimits,
    {
      provide: RateLimitStore,
      useFactory: (redis: RedisService, clock: Clock, presence: PresenceService): RateLimitStore =>
        redis.enabled
          ? new RedisRateLimitStore(redis, clock, () => presence.liveNodes)
          : new MemoryRateLimitStore(clock),
      inject: [RedisService, Clock, PresenceService],
    },
  ],
  exports: [RateLimits],
})
export class RateLimitModule {}
