import { Module } from '@nestjs/common';
import { AppUndoService } from './app-undo.service.js';
import { AppsRepository } from './apps.repository.js';
import { AppsService } from './apps.service.js';
import { AuditUpkeep } from './audit-upkeep.js';
import { CertificateHashes } from './certificate-hashes.js';

@Module({
  providers: [AppUndoService, AppsRepository, AppsService, AuditUpkeep, CertificateHashes],
  exports: [AppUndoService, AppsService, AuditUpkeep],
})
export class AppsModule {}
