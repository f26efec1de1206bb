import { Global, Module } from '@nestjs/common';
import { Clock } from '../clock/clock.js';
import { IdLease } from './id-lease.js';
import { TimeBasedUuids } from './time-based-uuids.js';
import { TimeOrderedIds } from './time-ordered-ids.js';

@Global()
@Module({
  providers: [
    { provide: TimeOrderedIds, inject: [Clock], useFactory: (clock: Clock) => new TimeOrderedIds(clock) },
    { provide: TimeBasedUuids, inject: [Clock], useFactory: (clock: Clock) => new TimeBasedUuids(clock) },
    IdLease,
  ],
  exports: [TimeOrderedIds, TimeBasedUuids, IdLease],
})
export class IdsModule {}
