import { Module } from '@nestjs/common';
import { AppsRepository } from './apps.repository.js';
import { AppsService } from './apps.service.js';
import { CertificateHashes } from './certificate-hashes.js';

@Module({ providers: [AppsRepository, AppsService, CertificateHashes], exports: [AppsService] })
export class AppsModule {}
