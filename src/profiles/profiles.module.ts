import { Module } from '@nestjs/common';
import { UsersModule } from '../users/users.module.js';
import { ProfilesRepository } from './profiles.repository.js';
import { ProfilesService } from './profiles.service.js';

@Module({ imports: [UsersModule], providers: [ProfilesRepository, ProfilesService], exports: [ProfilesService] })
export class ProfilesModule {}
