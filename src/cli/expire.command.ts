import type { Command } from 'commander';
import { OfflineMessagesService } from '../offline-messages/offline-messages.service.js';
import type { RunWithApp } from './run-with-app.js';

export function addExpireCommand(program: Command, run: RunWithApp): void {
  program
    .command('expire')
    .description('remove the messages that are older than their apps keep them; every node does this once a minute')
    .action(() =>
      run(async (context) => console.log(`${await context.get(OfflineMessagesService).expireDue()} expired`)),
    );
}
