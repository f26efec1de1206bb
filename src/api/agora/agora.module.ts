import { Module } from '@nestjs/common';
import { AppsModule } from '../../apps/apps.module.js';
import { AuthModule } from '../../auth/auth.module.js';
import { BlocksModule } from '../../blocks/blocks.module.js';
import { BulkOperationsModule } from '../../bulk-operations/bulk-operations.module.js';
import { ContactsModule } from '../../contacts/contacts.module.js';
import { GroupsModule } from '../../groups/groups.module.js';
import { IdempotencyModule } from '../../idempotency/idempotency.module.js';
import { MessagesModule } from '../../messages/messages.module.js';
import { MutesModule } from '../../mutes/mutes.module.js';
import { OfflineMessagesModule } from '../../offline-messages/offline-messages.module.js';
import { PresenceModule } from '../../presence/presence.module.js';
import { PresenceSubscriptionsModule } from '../../presence-subscriptions/presence-subscriptions.module.js';
import { RateLimitModule } from '../../rate-limit/rate-limit.module.js';
import { UserAttributesModule } from '../../user-attributes/user-attributes.module.js';
import { UserNotesModule } from '../../user-notes/user-notes.module.js';
import { UserSearchModule } from '../../user-search/user-search.module.js';
import { UsersModule } from '../../users/users.module.js';
import { AgoraAppGuard } from './agora-app.guard.js';
import { AgoraOwnUserGuard } from './agora-own-user.guard.js';
import { AgoraAppTokenGuard } from './agora-app-token.guard.js';
import { AgoraAuditController } from './agora-audit.controller.js';
import { AgoraBlocksController } from './agora-blocks.controller.js';
import { AgoraContactsController } from './agora-contacts.controller.js';
import { AgoraGroupAdminsController, AgoraRoomAdminsController } from './agora-group-admins.controller.js';
import { AgoraGroupListsController, AgoraRoomListsController } from './agora-group-lists.controller.js';
import { AgoraGroupsController, AgoraRoomsController } from './agora-groups.controller.js';
import { AgoraHostLookUpController } from './agora-host-look-up.controller.js';
import { AgoraMessagesController } from './agora-messages.controller.js';
import { AgoraMutesController } from './agora-mutes.controller.js';
import { AgoraOfflineMessagesController } from './agora-offline-messages.controller.js';
import { AgoraOperationsController } from './agora-operations.controller.js';
import { AgoraPresenceController } from './agora-presence.controller.js';
import { AgoraPresenceSubscriptionsController } from './agora-presence-subscriptions.controller.js';
import { AgoraPushController } from './agora-push.controller.js';
import { AgoraRegistrationGuard } from './agora-registration.guard.js';
import { AgoraSearchController } from './agora-search.controller.js';
import { AgoraSuperAdminsController } from './agora-super-admins.controller.js';
import { AgoraTokenController } from './agora-token.controller.js';
import { AgoraUserAttributesController } from './agora-user-attributes.controller.js';
import { AgoraBansController } from './agora-bans.controller.js';
import { AgoraUserNotesController } from './agora-user-notes.controller.js';
import { AgoraUsersController } from './agora-users.controller.js';

@Module({
  imports: [
    AppsModule,
    AuthModule,
    BlocksModule,
    BulkOperationsModule,
    ContactsModule,
    GroupsModule,
    IdempotencyModule,
    MessagesModule,
    MutesModule,
    OfflineMessagesModule,
    PresenceModule,
    PresenceSubscriptionsModule,
    RateLimitModule,
    UserAttributesModule,
    UserNotesModule,
    UserSearchModule,
    UsersModule,
  ],
  controllers: [
    AgoraPresenceController,
    AgoraPresenceSubscriptionsController,
    AgoraTokenController,
    AgoraUsersController,
    AgoraBansController,
    AgoraPushController,
    AgoraMessagesController,
    AgoraMutesController,
    AgoraOfflineMessagesController,
    AgoraOperationsController,
    AgoraGroupsController,
    AgoraRoomsController,
    AgoraContactsController,
    AgoraBlocksController,
    AgoraUserAttributesController,
    AgoraHostLookUpController,
    AgoraGroupListsController,
    AgoraRoomListsController,
    AgoraGroupAdminsController,
    AgoraRoomAdminsController,
    AgoraSuperAdminsController,
    AgoraAuditController,
    AgoraSearchController,
    AgoraUserNotesController,
  ],
  providers: [AgoraAppGuard, AgoraAppTokenGuard, AgoraOwnUserGuard, AgoraRegistrationGuard],
})
export class AgoraModule {}
