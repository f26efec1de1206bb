import { Module } from '@nestjs/common';
import { AppsModule } from '../apps/apps.module.js';
import { PresenceModule } from '../presence/presence.module.js';
import { RemovalsModule } from '../removals/removals.module.js';
import { UsersModule } from '../users/users.module.js';
import { PresenceNotices } from './presence-notices.js';
import { PresenceStatesRepository } from './presence-states.repository.js';
import { PresenceSubscriptionsService } from './presence-subscriptions.service.js';
import { SubscriptionRemovals } from './subscription-removals.js';
import { SubscriptionsRepository } from './subscriptions.repository.js';
import { SubscriptionsSweep } from './subscriptions-sweep.js';

@Module({
  imports: [AppsModule, PresenceModule, RemovalsModule, UsersModule],
  providers: [
    ...[PresenceStatesRepository, SubscriptionsRepository, SubscriptionRemovals, SubscriptionsSweep],
    ...[PresenceNotices, PresenceSubscriptionsService],
  ],
  exports: [PresenceSubscriptionsService],
})
export class PresenceSubscriptionsModule {}
