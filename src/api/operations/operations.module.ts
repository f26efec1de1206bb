import { Module } from '@nestjs/common';
import { PasswordsModule } from '../../passwords/passwords.module.js';
import { PresenceModule } from '../../presence/presence.module.js';
import { RateLimitModule } from '../../rate-limit/rate-limit.module.js';
import { HealthController } from './health.controller.js';
import { MetricsController } from './metrics.controller.js';
import { Metrics } from './metrics.service.js';
import { Readiness } from '../../http/readiness.js';

@Module({
  imports: [PasswordsModule, PresenceModule, RateLimitModule],
  controllers: [HealthController, MetricsController],
  providers: [Metrics, Readiness],
  exports: [Metrics, Readiness],
})
export class OperationsModule {}
