import { type DynamicModule, Module, type OnApplicationShutdown } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { AccessGuard } from './http/access.guard.js';
import { AgoraModule } from './api/agora/agora.module.js';
import { OperationsModule } from './api/operations/operations.module.js';
import { QiscusModule } from './api/qiscus/qiscus.module.js';
import { RateLimitGuard } from './http/rate-limit.guard.js';
import { AppsModule } from './apps/apps.module.js';
import { AuditModule } from './audit/audit.module.js';
import { AuthModule } from './auth/auth.module.js';
import { BlocksModule } from './blocks/blocks.module.js';
import { BulkOperationsModule } from './bulk-operations/bulk-operations.module.js';
import { ClockModule } from './clock/clock.module.js';
import { ConfigModule } from './config/config.module.js';
import { ContactsModule } from './contacts/contacts.module.js';
import type { Env } from './config/env.js';
import { dataSourceOptions } from './data-source.js';
import { DatabaseModule } from './database/database.module.js';
import { Database } from './database/database.js';
import { GatewayModule } from './gateway/gateway.module.js';
import { GroupsModule } from './groups/groups.module.js';
import { IdLease } from './ids/id-lease.js';
import { IdsModule } from './ids/ids.module.js';
import { LastSeenModule } from './last-seen/last-seen.module.js';
import { PresenceModule } from './presence/presence.module.js';
import { MessagesModule } from './messages/messages.module.js';
import { OfflineMessagesModule } from './offline-messages/offline-messages.module.js';
import { RateLimitModule } from './rate-limit/rate-limit.module.js';
import { RedisModule } from './redis/redis.module.js';
import { RetentionModule } from './retention/retention.module.js';
import { UsersModule } from './users/users.module.js';

/** All modules of the service. */
@Module({})
export class AppModule implements OnApplicationShutdown {
  constructor(
    private readonly ids: IdLease,
    private readonly database: Database,
  ) {}

  /**
   * Closes the database after everything else. It has to be here, since Nest starts with the outermost module: TypeORM
   * would close the write connection before queued writes are committed, and before the read connection.
   */
  async onApplicationShutdown(): Promise<void> {
    await this.ids.release();
    await this.database.close();
  }

  static forRoot(env: Env): DynamicModule {
    return {
      module: AppModule,
      imports: [
        ConfigModule.forRoot(env),
        ClockModule,
        IdsModule,
        DatabaseModule.forRoot(dataSourceOptions(env)),
        RetentionModule,
        AuditModule,
        RedisModule,
        AppsModule,
        AuthModule,
        UsersModule,
        PresenceModule,
        LastSeenModule,
        MessagesModule,
        OfflineMessagesModule,
        GroupsModule,
        BlocksModule,
        BulkOperationsModule,
        ContactsModule,
        RateLimitModule,
        OperationsModule,
        GatewayModule,
        QiscusModule,
        // Last: its paths begin with any two words, and the first match wins.
        AgoraModule,
      ],
      providers: [
        // In this order: access is checked before the rate limit.
        { provide: APP_GUARD, useClass: AccessGuard },
        { provide: APP_GUARD, useClass: RateLimitGuard },
      ],
    };
  }
}
