import { Module } from '@nestjs/common';
import { RemovalsModule } from '../removals/removals.module.js';
import { UsersModule } from '../users/users.module.js';
import { BlocksRepository } from './blocks.repository.js';
import { BlocksService } from './blocks.service.js';

@Module({
  imports: [RemovalsModule, UsersModule],
  providers: [BlocksRepository, BlocksService],
  exports: [BlocksService],
})
export class BlocksModule {}
