import { Module } from '@nestjs/common';
import { OfflineMessagesModule } from '../offline-messages/offline-messages.module.js';
import { PresenceModule } from '../presence/presence.module.js';
import { RateLimitModule } from '../rate-limit/rate-limit.module.js';
import { MessagesService } from './messages.service.js';

@Module({
  imports: [OfflineMessagesModule, PresenceModule, RateLimitModule],
  providers: [MessagesService],
  exports: [MessagesService],
})
export class MessagesModule {}
