import type { Command } from 'commander';
import type { RunWithApp } from './run-with-app.js';

export function addMigrateCommand(program: Command, run: RunWithApp): void {
  program
    .command('migrate')
    .description('bring the database up to date; every start does this too, and only one node at a time')
    .action(() =>
      // Opening the container migrates.
      run(async () => console.log('the database is up to date')),
    );
}
