import { Module } from '@nestjs/common';
import { UsersModule } from '../users/users.module.js';
import { GroupsRepository } from './groups.repository.js';
import { GroupsService } from './groups.service.js';

@Module({ imports: [UsersModule], providers: [GroupsRepository, GroupsService], exports: [GroupsService] })
export class GroupsModule {}
