import { Module } from '@nestjs/common';
import { AppsModule } from '../apps/apps.module.js';
import { BlocksModule } from '../blocks/blocks.module.js';
import { RemovalsModule } from '../removals/removals.module.js';
import { UsersModule } from '../users/users.module.js';
import { Expiry } from './expiry.js';
import { InboxesRepository } from './inboxes.repository.js';
import { InboxLimitsRepository } from './inbox-limits.repository.js';
import { InboxMessagesRepository } from './inbox-messages.repository.js';
import { MessageDeliveriesRepository } from './message-deliveries.repository.js';
import { MessageExpiryRepository } from './message-expiry.repository.js';
import { MessageRemovalsRepository } from './message-removals.repository.js';
import { OfflineMessagesService } from './offline-messages.service.js';
import { UnreadConversations } from './unread-conversations.js';
import { UnreadMessages } from './unread-messages.js';
import { UnreadMessagesRepository } from './unread-messages.repository.js';

@Module({
  imports: [AppsModule, BlocksModule, RemovalsModule, UsersModule],
  providers: [
    ...[InboxesRepository, InboxMessagesRepository, InboxLimitsRepository],
    ...[MessageDeliveriesRepository, MessageRemovalsRepository, MessageExpiryRepository],
    ...[UnreadMessagesRepository, UnreadMessages, UnreadConversations, OfflineMessagesService, Expiry],
  ],
  exports: [OfflineMessagesService],
})
export class OfflineMessagesModule {}
