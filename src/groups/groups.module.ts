import { Module } from '@nestjs/common';
import { RemovalsModule } from '../removals/removals.module.js';
import { UsersModule } from '../users/users.module.js';
import { GroupListsRepository } from './group-lists.repository.js';
import { GroupListsService } from './group-lists.service.js';
import { GroupPagesService } from './group-pages.service.js';
import { GroupRemovals } from './group-removals.js';
import { GroupWritesRepository } from './group-writes.repository.js';
import { GroupsRepository } from './groups.repository.js';
import { GroupsService } from './groups.service.js';

@Module({
  imports: [RemovalsModule, UsersModule],
  providers: [
    GroupListsRepository,
    GroupListsService,
    GroupPagesService,
    GroupRemovals,
    GroupWritesRepository,
    GroupsRepository,
    GroupsService,
  ],
  exports: [GroupListsService, GroupPagesService, GroupsService],
})
export class GroupsModule {}
