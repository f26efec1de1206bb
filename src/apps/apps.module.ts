import { Module } from '@nestjs/common';
import { AppsRepository } from './apps.repository.js';
import { AppsService } from './apps.service.js';
import { AuditUpkeep } from './audit-upkeep.js';
import { CertificateHashes } from './certificate-hashes.js';

@Module({
  providers: [AppsRepository, AppsService, AuditUpkeep, CertificateHashes],
  exports: [AppsService, AuditUpkeep],
})
export class AppsModule {}
