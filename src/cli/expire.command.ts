import type { Command } from 'commander';
import { OfflineMessagesService } from '../offline-messages/offline-messages.service.js';
import { RemovalsService } from '../removals/removals.service.js';
import type { RunWithApp } from './run-with-app.js';

export function addExpireCommand(program: Command, run: RunWithApp): void {
  program
    .command('expire')
    .description(
      'remove the messages that are older than their apps keep them, and what belonged to users and groups that were deleted; every node does this once a minute',
    )
    .action(() =>
      run(async (context) => {
        console.log(`${await context.get(OfflineMessagesService).expireDue()} expired`);
        const finished = await context.get(RemovalsService).finish({ all: true });
        if (finished > 0) console.log(`${finished} deletions finished`);
      }),
    );
}
