import { Module } from '@nestjs/common';
import { AppsModule } from '../apps/apps.module.js';
import { RemovalSweep } from './removal-sweep.js';
import { RemovalsRepository } from './removals.repository.js';
import { RemovalsService } from './removals.service.js';

@Module({
  imports: [AppsModule],
  providers: [RemovalsRepository, RemovalsService, RemovalSweep],
  exports: [RemovalsService],
})
export class RemovalsModule {}
