import { Module } from '@nestjs/common';
import { PasswordsModule } from '../passwords/passwords.module.js';
import { BanEdgesRepository } from './ban-edges.repository.js';
import { BanHistoryRepository } from './ban-history.repository.js';
import { BansRepository } from './bans.repository.js';
import { BansService } from './bans.service.js';
import { BanUndoService } from './ban-undo.service.js';
import { DueBansService } from './due-bans.service.js';
import { DueBansSweep } from './due-bans-sweep.js';
import { ReleasedNamesRepository } from './released-names.repository.js';
import { RemovalsModule } from '../removals/removals.module.js';
import { UserChangesService } from './user-changes.service.js';
import { UserCountsRepository } from './user-counts.repository.js';
import { UserDeletionsService } from './user-deletions.service.js';
import { UserEvents } from './user-events.js';
import { UserPagesRepository } from './user-pages.repository.js';
import { UserPagesService } from './user-pages.service.js';
import { UserRangesRepository } from './user-ranges.repository.js';
import { UserRangesService } from './user-ranges.service.js';
import { UserRevocationsService } from './user-revocations.service.js';
import { UserSettingsService } from './user-settings.service.js';
import { UserUndoService } from './user-undo.service.js';
import { UserWalksService } from './user-walks.service.js';
import { UserWritesRepository } from './user-writes.repository.js';
import { UsersRepository } from './users.repository.js';
import { UsersService } from './users.service.js';

@Module({
  imports: [PasswordsModule, RemovalsModule],
  providers: [
    BanEdgesRepository,
    BanHistoryRepository,
    BansRepository,
    BansService,
    BanUndoService,
    DueBansService,
    DueBansSweep,
    ReleasedNamesRepository,
    UserChangesService,
    UserCountsRepository,
    UserDeletionsService,
    UserEvents,
    UserPagesRepository,
    UserPagesService,
    UserRangesRepository,
    UserRangesService,
    UserRevocationsService,
    UserSettingsService,
    UserUndoService,
    UserWalksService,
    UserWritesRepository,
    UsersRepository,
    UsersService,
  ],
  exports: [
    BansService,
    BanUndoService,
    UserChangesService,
    UserDeletionsService,
    UserEvents,
    UserPagesService,
    UserRangesService,
    UserRevocationsService,
    UserSettingsService,
    UserUndoService,
    UserWalksService,
    UsersService,
  ],
})
export class UsersModule {}
