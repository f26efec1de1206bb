import type { Command } from 'commander';
import { AuditUpkeep } from '../apps/audit-upkeep.js';
import { RetentionClock } from '../retention/retention-clock.js';
import { OfflineMessagesService } from '../offline-messages/offline-messages.service.js';
import { PresenceSubscriptionsService } from '../presence-subscriptions/presence-subscriptions.service.js';
import { RemovalsService } from '../removals/removals.service.js';
import { BulkExpiry } from '../bulk-operations/bulk-expiry.js';
import type { RunWithApp } from './run-with-app.js';

export function addExpireCommand(program: Command, run: RunWithApp): void {
  program
    .command('expire')
    .description(
      'remove the messages that are older than their apps keep them, presence subscriptions that have expired, operations that ended 30 days ago, what apps no longer keep of their audit trails, and what belonged to users and groups that were deleted; every node does this once a minute',
    )
    .option('--clock-is-right', 'the clock that seemed to jump is right, and was right before: use it again')
    .action(({ clockIsRight }: { clockIsRight?: true }) =>
      run(async (context) => {
        const retention = context.get(RetentionClock);
        if (clockIsRight === true) await retention.trust();
        if (retention.leaptAt !== null)
          console.error(
            `the clock leapt to ${new Date(retention.leaptAt).toISOString()}: what was stored before goes when its time has passed since`,
          );
        console.log(`${await context.get(OfflineMessagesService).expireDue()} expired`);
        const pruned = await context.get(PresenceSubscriptionsService).pruneExpired();
        if (pruned > 0) console.log(`${pruned} presence subscriptions ended`);
        const forgotten = await context.get(AuditUpkeep).run();
        if (forgotten > 0) console.log(`${forgotten} entries of the audit trail removed`);
        const operations = await context.get(BulkExpiry).run();
        if (operations > 0) console.log(`${operations} operations removed`);
        const finished = await context.get(RemovalsService).finish({ all: true });
        if (finished > 0) console.log(`${finished} deletions completed`);
      }),
    );
}
