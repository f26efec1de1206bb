import { Module } from '@nestjs/common';
import { UsersModule } from '../users/users.module.js';
import { MutesRepository } from './mutes.repository.js';
import { MutesService } from './mutes.service.js';

@Module({ imports: [UsersModule], providers: [MutesRepository, MutesService], exports: [MutesService] })
export class MutesModule {}
