import { Module } from '@nestjs/common';
import { AppsRepository } from './apps.repository.js';
import { AppsService } from './apps.service.js';

@Module({ providers: [AppsRepository, AppsService], exports: [AppsService] })
export class AppsModule {}
