import { Module } from '@nestjs/common';
import { UsersModule } from '../users/users.module.js';
import { UserAttributesRepository } from './user-attributes.repository.js';
import { UserAttributesService } from './user-attributes.service.js';

@Module({
  imports: [UsersModule],
  providers: [UserAttributesRepository, UserAttributesService],
  exports: [UserAttributesService],
})
export class UserAttributesModule {}
