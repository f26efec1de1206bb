import { Module } from '@nestjs/common';
import { LastSeenModule } from '../last-seen/last-seen.module.js';
import { PresenceModule } from '../presence/presence.module.js';
import { UsersModule } from '../users/users.module.js';
import { SearchSources } from './search-sources.js';
import { UserSearchService } from './user-search.service.js';

@Module({
  imports: [LastSeenModule, PresenceModule, UsersModule],
  providers: [SearchSources, UserSearchService],
  exports: [UserSearchService],
})
export class UserSearchModule {}
