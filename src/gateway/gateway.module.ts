import { Module } from '@nestjs/common';
import { AppsModule } from '../apps/apps.module.js';
import { AuthModule } from '../auth/auth.module.js';
import { MessagesModule } from '../messages/messages.module.js';
import { MutesModule } from '../mutes/mutes.module.js';
import { OfflineMessagesModule } from '../offline-messages/offline-messages.module.js';
import { PresenceModule } from '../presence/presence.module.js';
import { RateLimitModule } from '../rate-limit/rate-limit.module.js';
import { GatewayService } from './gateway.service.js';

@Module({
  imports: [
    AppsModule,
    AuthModule,
    MessagesModule,
    MutesModule,
    OfflineMessagesModule,
    PresenceModule,
    RateLimitModule,
  ],
  providers: [GatewayService],
  exports: [GatewayService],
})
export class GatewayModule {}
