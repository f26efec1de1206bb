import { Global, Module } from '@nestjs/common';
import { Clock, SystemClock } from './clock.js';
import { RetentionClock } from './retention-clock.js';

@Global()
@Module({ providers: [{ provide: Clock, useClass: SystemClock }, RetentionClock], exports: [Clock, RetentionClock] })
export class ClockModule {}
