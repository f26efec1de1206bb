import type { Command } from 'commander';
import { AppsService } from '../apps/apps.service.js';
import type { RunWithApp } from './run-with-app.js';

export function addResealCommand(program: Command, run: RunWithApp): void {
  program
    .command('reseal')
    .description('seal the secrets of all apps with the first SEALING_KEY, or unseal them if that is none')
    .action(() =>
      run(async (context) => {
        const { apps, changed } = await context.get(AppsService).reseal();
        console.log(`resealed ${changed} of ${apps} apps; the others needed no change`);
      }),
    );
}
