import { Module } from '@nestjs/common';
import { PasswordsModule } from '../auth/passwords.module.js';
import { UserEvents } from './user-events.js';
import { UserPagesRepository } from './user-pages.repository.js';
import { UsersRepository } from './users.repository.js';
import { UsersService } from './users.service.js';

@Module({
  imports: [PasswordsModule],
  providers: [UserEvents, UserPagesRepository, UsersRepository, UsersService],
  exports: [UserEvents, UsersService],
})
export class UsersModule {}
