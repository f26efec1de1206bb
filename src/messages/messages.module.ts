import { Module } from '@nestjs/common';
import { OfflineMessagesModule } from '../offline-messages/offline-messages.module.js';
import { PresenceModule } from '../presence/presence.module.js';
import { MessagesService } from './messages.service.js';

@Module({
  imports: [OfflineMessagesModule, PresenceModule],
  providers: [MessagesService],
  exports: [MessagesService],
})
export class MessagesModule {}
