import { Module } from '@nestjs/common';
import { AppsModule } from '../apps/apps.module.js';
import { Clock } from '../clock/clock.js';
import { RedisService } from '../redis/redis.service.js';
import { UsersModule } from '../users/users.module.js';
import { MemoryPresenceStore } from './memory-presence.store.js';
import { NodeSignals } from './node-signals.service.js';
import { PresenceService } from './presence.service.js';
import { PresenceStore } from './presence.store.js';
import { RedisPresenceStore } from './redis-presence.store.js';
import { SessionEvents } from './session-events.js';

@Module({
  imports: [AppsModule, UsersModule],
  providers: [
    NodeSignals,
    PresenceService,
    SessionEvents,
    {
      provide: PresenceStore,
      useFactory: ({ nodeId }: NodeSignals, redis: RedisService, clock: Clock): PresenceStore =>
        redis.enabled ? new RedisPresenceStore(nodeId, redis) : new MemoryPresenceStore(nodeId, clock),
      inject: [NodeSignals, RedisService, Clock],
    },
  ],
  exports: [PresenceService, SessionEvents],
})
export class PresenceModule {}
