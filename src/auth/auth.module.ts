import { Module } from '@nestjs/common';
import { JwtModule } from '@nestjs/jwt';
import { ProfilesModule } from '../profiles/profiles.module.js';
import { UsersModule } from '../users/users.module.js';
import { IdentityTokensService } from './identity-tokens.service.js';
import { PasswordsModule } from '../passwords/passwords.module.js';
import { JsonWebTokens, jwtOptions } from './json-web-tokens.js';
import { TokensService } from './tokens.service.js';
import { UsedNoncesRepository } from './used-nonces.repository.js';

@Module({
  imports: [JwtModule.register(jwtOptions), PasswordsModule, ProfilesModule, UsersModule],
  providers: [IdentityTokensService, JsonWebTokens, TokensService, UsedNoncesRepository],
  exports: [IdentityTokensService, TokensService],
})
export class AuthModule {}
