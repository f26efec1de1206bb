import { Module } from '@nestjs/common';
import { PasswordsModule } from '../passwords/passwords.module.js';
import { ReleasedNamesRepository } from './released-names.repository.js';
import { RemovalsModule } from '../removals/removals.module.js';
import { UserChangesService } from './user-changes.service.js';
import { UserEvents } from './user-events.js';
import { UserPagesRepository } from './user-pages.repository.js';
import { UsersRepository } from './users.repository.js';
import { UsersService } from './users.service.js';

@Module({
  imports: [PasswordsModule, RemovalsModule],
  providers: [
    ReleasedNamesRepository,
    UserChangesService,
    UserEvents,
    UserPagesRepository,
    UsersRepository,
    UsersService,
  ],
  exports: [UserChangesService, UserEvents, UsersService],
})
export class UsersModule {}
