import { Module } from '@nestjs/common';
import { RemovalsModule } from '../removals/removals.module.js';
import { UsersModule } from '../users/users.module.js';
import { GroupRemovals } from './group-removals.js';
import { GroupsRepository } from './groups.repository.js';
import { GroupsService } from './groups.service.js';

@Module({
  imports: [RemovalsModule, UsersModule],
  providers: [GroupRemovals, GroupsRepository, GroupsService],
  exports: [GroupsService],
})
export class GroupsModule {}
