import type { Command } from 'commander';
import type { RunWithApp } from './run-with-app.js';

export function addMigrateCommand(program: Command, run: RunWithApp): void {
  program
    .command('migrate')
    .description(
      'bring the database up to date, and make the file of SQLite if it is missing; every start does this too',
    )
    .action(() =>
      // Opening the container migrates.
      run(async () => console.log('the database is up to date'), { makesDatabase: true }),
    );
}
