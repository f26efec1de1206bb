import { Module } from '@nestjs/common';
import { PasswordsModule } from '../passwords/passwords.module.js';
import { ReleasedNamesRepository } from './released-names.repository.js';
import { RemovalsModule } from '../removals/removals.module.js';
import { UserActivationsRepository } from './user-activations.repository.js';
import { UserChangesService } from './user-changes.service.js';
import { UserEvents } from './user-events.js';
import { UserPagesRepository } from './user-pages.repository.js';
import { UserPagesService } from './user-pages.service.js';
import { UserRangesRepository } from './user-ranges.repository.js';
import { UserRangesService } from './user-ranges.service.js';
import { UserRevocationsService } from './user-revocations.service.js';
import { UserSettingsService } from './user-settings.service.js';
import { UserWritesRepository } from './user-writes.repository.js';
import { UsersRepository } from './users.repository.js';
import { UsersService } from './users.service.js';

@Module({
  imports: [PasswordsModule, RemovalsModule],
  providers: [
    ReleasedNamesRepository,
    UserActivationsRepository,
    UserChangesService,
    UserEvents,
    UserPagesRepository,
    UserPagesService,
    UserRangesRepository,
    UserRangesService,
    UserRevocationsService,
    UserSettingsService,
    UserWritesRepository,
    UsersRepository,
    UsersService,
  ],
  exports: [
    UserChangesService,
    UserEvents,
    UserPagesService,
    UserRangesService,
    UserRevocationsService,
    UserSettingsService,
    UsersService,
  ],
})
export class UsersModule {}
