import { Module } from '@nestjs/common';
import { ProfilesModule } from '../profiles/profiles.module.js';
import { UsersModule } from '../users/users.module.js';
import { IdentityTokensService } from './identity-tokens.service.js';
import { PasswordsModule } from '../passwords/passwords.module.js';
import { TokensService } from './tokens.service.js';
import { UsedNoncesRepository } from './used-nonces.repository.js';

@Module({
  imports: [PasswordsModule, ProfilesModule, UsersModule],
  providers: [IdentityTokensService, TokensService, UsedNoncesRepository],
  exports: [IdentityTokensService, TokensService],
})
export class AuthModule {}
