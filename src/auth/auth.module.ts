import { Module } from '@nestjs/common';
import { UsersModule } from '../users/users.module.js';
import { PasswordsModule } from './passwords.module.js';
import { TokensService } from './tokens.service.js';

@Module({ imports: [PasswordsModule, UsersModule], providers: [TokensService], exports: [TokensService] })
export class AuthModule {}
