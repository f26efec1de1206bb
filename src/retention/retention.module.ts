import { Global, Module } from '@nestjs/common';
import { RetentionClock } from './retention-clock.js';

@Global()
@Module({ providers: [RetentionClock], exports: [RetentionClock] })
export class RetentionModule {}
