import { Module } from '@nestjs/common';
import { RemovalsModule } from '../removals/removals.module.js';
import { UsersModule } from '../users/users.module.js';
import { UserNotesRepository } from './user-notes.repository.js';
import { UserNotesService } from './user-notes.service.js';

@Module({
  imports: [RemovalsModule, UsersModule],
  providers: [UserNotesRepository, UserNotesService],
  exports: [UserNotesService],
})
export class UserNotesModule {}
