import { Module } from '@nestjs/common';
import { AppsModule } from '../apps/apps.module.js';
import { GroupsModule } from '../groups/groups.module.js';
import { OfflineMessagesModule } from '../offline-messages/offline-messages.module.js';
import { UserAttributesModule } from '../user-attributes/user-attributes.module.js';
import { UsersModule } from '../users/users.module.js';
import { BelongingsService } from './belongings.service.js';
import { BulkExpiry } from './bulk-expiry.js';
import { BulkItemsRepository } from './bulk-items.repository.js';
import { BulkOperationsRepository } from './bulk-operations.repository.js';
import { BulkOperationsService } from './bulk-operations.service.js';
import { BulkRunner } from './bulk-runner.js';
import { BulkTargetsService } from './bulk-targets.service.js';
import { BulkWorker } from './bulk-worker.js';
import { OperationUndoService } from './operation-undo.service.js';
import { UndoableService } from './undoable.service.js';

@Module({
  imports: [AppsModule, GroupsModule, OfflineMessagesModule, UserAttributesModule, UsersModule],
  providers: [
    BelongingsService,
    BulkExpiry,
    BulkItemsRepository,
    BulkOperationsRepository,
    BulkOperationsService,
    BulkRunner,
    BulkTargetsService,
    BulkWorker,
    OperationUndoService,
    UndoableService,
  ],
  exports: [BelongingsService, BulkExpiry, BulkOperationsService, OperationUndoService],
})
export class BulkOperationsModule {}
