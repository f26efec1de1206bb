import { Module } from '@nestjs/common';
import { PresenceModule } from '../presence/presence.module.js';
import { UsersModule } from '../users/users.module.js';
import { LastSeenRepository } from './last-seen.repository.js';
import { LastSeenService } from './last-seen.service.js';

@Module({
  imports: [PresenceModule, UsersModule],
  providers: [LastSeenRepository, LastSeenService],
  exports: [LastSeenService],
})
export class LastSeenModule {}
