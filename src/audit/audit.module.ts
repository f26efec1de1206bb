import { Global, Module } from '@nestjs/common';
import { AuditEntriesRepository } from './audit-entries.repository.js';
import { AuditLog } from './audit-log.service.js';
import { AuditSealsRepository } from './audit-seals.repository.js';
import { AuditSeals } from './audit-seals.service.js';
import { AuditTrail } from './audit-trail.service.js';

@Global()
@Module({
  providers: [AuditEntriesRepository, AuditLog, AuditSealsRepository, AuditSeals, AuditTrail],
  exports: [AuditLog, AuditSeals, AuditTrail],
})
export class AuditModule {}
