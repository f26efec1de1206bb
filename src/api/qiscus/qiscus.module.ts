import { Module } from '@nestjs/common';
import { AppsModule } from '../../apps/apps.module.js';
import { AuthModule } from '../../auth/auth.module.js';
import { BlocksModule } from '../../blocks/blocks.module.js';
import { IdempotencyModule } from '../../idempotency/idempotency.module.js';
import { OfflineMessagesModule } from '../../offline-messages/offline-messages.module.js';
import { LastSeenModule } from '../../last-seen/last-seen.module.js';
import { ProfilesModule } from '../../profiles/profiles.module.js';
import { RateLimitModule } from '../../rate-limit/rate-limit.module.js';
import { UsersModule } from '../../users/users.module.js';
import { QiscusAppGuard } from './qiscus-app.guard.js';
import { QiscusOlderUsersController } from './qiscus-older-users.controller.js';
import { QiscusSdkBlocksController } from './qiscus-sdk-blocks.controller.js';
import { QiscusSdkController } from './qiscus-sdk.controller.js';
import { QiscusSdkUsersController } from './qiscus-sdk-users.controller.js';
import { QiscusServerGuard } from './qiscus-server.guard.js';
import { QiscusUnreadController } from './qiscus-unread.controller.js';
import { QiscusUserTokenGuard } from './qiscus-user-token.guard.js';
import { QiscusUsersController } from './qiscus-users.controller.js';

@Module({
  imports: [
    AppsModule,
    AuthModule,
    BlocksModule,
    IdempotencyModule,
    LastSeenModule,
    OfflineMessagesModule,
    ProfilesModule,
    RateLimitModule,
    UsersModule,
  ],
  controllers: [
    QiscusUsersController,
    QiscusUnreadController,
    QiscusOlderUsersController,
    QiscusSdkController,
    QiscusSdkBlocksController,
    QiscusSdkUsersController,
  ],
  providers: [QiscusAppGuard, QiscusServerGuard, QiscusUserTokenGuard],
})
export class QiscusModule {}
