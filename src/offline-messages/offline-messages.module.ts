import { Module } from '@nestjs/common';
import { AppsModule } from '../apps/apps.module.js';
import { RemovalsModule } from '../removals/removals.module.js';
import { UsersModule } from '../users/users.module.js';
import { Expiry } from './expiry.js';
import { OfflineMessagesRepository } from './offline-messages.repository.js';
import { OfflineMessagesService } from './offline-messages.service.js';
import { UnreadMessages } from './unread-messages.js';

@Module({
  imports: [AppsModule, RemovalsModule, UsersModule],
  providers: [OfflineMessagesRepository, OfflineMessagesService, UnreadMessages, Expiry],
  exports: [OfflineMessagesService],
})
export class OfflineMessagesModule {}
