import { Global, Module } from '@nestjs/common';
import { Clock } from '../clock/clock.js';
import { TimeOrderedIds } from './time-ordered-ids.js';

@Global()
@Module({
  providers: [{ provide: TimeOrderedIds, inject: [Clock], useFactory: (clock: Clock) => new TimeOrderedIds(clock) }],
  exports: [TimeOrderedIds],
})
export class IdsModule {}
