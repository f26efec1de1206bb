import { Module } from '@nestjs/common';
import { AppsModule } from '../../apps/apps.module.js';
import { AuthModule } from '../../auth/auth.module.js';
import { RateLimitModule } from '../../rate-limit/rate-limit.module.js';
import { UsersModule } from '../../users/users.module.js';
import { AgoraAppGuard } from './agora-app.guard.js';
import { AgoraAppTokenGuard } from './agora-app-token.guard.js';
import { AgoraRegistrationGuard } from './agora-registration.guard.js';
import { AgoraTokenController } from './agora-token.controller.js';
import { AgoraUsersController } from './agora-users.controller.js';

@Module({
  imports: [AppsModule, AuthModule, RateLimitModule, UsersModule],
  controllers: [AgoraTokenController, AgoraUsersController],
  providers: [AgoraAppGuard, AgoraAppTokenGuard, AgoraRegistrationGuard],
})
export class AgoraModule {}
