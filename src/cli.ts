import 'reflect-metadata';
import { userInfo } from 'node:os';
import { NestFactory } from '@nestjs/core';
import { program } from 'commander';
import { AuditTrail } from './audit/audit-trail.service.js';
import { localCaller } from './audit/caller.js';
import { runInOperation } from './audit/operation.js';
import { AppModule } from './app.module.js';
import { addAppCommands } from './cli/app.command.js';
import { addAuditCommands } from './cli/audit.command.js';
import { addBackupCommands } from './cli/backup.command.js';
import { addDoctorCommand } from './cli/doctor.command.js';
import { addExpireCommand } from './cli/expire.command.js';
import { addMigrateCommand } from './cli/migrate.command.js';
import { addOpenapiCommand } from './cli/openapi.command.js';
import { addTokenCommands } from './cli/token.command.js';
import { addResealCommand } from './cli/reseal.command.js';
import type { RunWithApp } from './cli/run-with-app.js';
import { loadEnv } from './config/env.js';
import { missingSqliteFile, sqliteFileOf } from './database/sqlite-file.js';
import { AppError } from './errors/app-error.js';
import { LogDestination } from './logging/log-destination.js';
import { createLogger, PinoLogger } from './logging/pino-logger.js';
import { startFailure } from './start-failure.js';

/** Runs a command in the same container as the service, without listening. */
const runWithApp: RunWithApp = async (work, { makesDatabase } = { makesDatabase: false }) => {
  const env = loadEnv();
  const missing = missingSqliteFile(env.databaseUrl);
  if (missing !== null) {
    if (!makesDatabase) throw new AppError('argument_invalid', { detail: missing });
    console.error(`creating the database ${sqliteFileOf(env.databaseUrl)}`);
  }
  const app = await NestFactory.createApplicationContext(AppModule.forRoot(env), {
    logger: new PinoLogger(createLogger('error', new LogDestination(2))),
    abortOnError: false,
  });
  try {
    await runInOperation(app.get(AuditTrail).begin(localCaller('command_line', accountName())), () => work(app));
  } finally {
    await app.close();
  }
};

/** The account of the operating system that runs the command; empty in a container that has no name for it. */
function accountName(): string {
  try {
    return userInfo().username;
  } catch {
    return '';
  }
}

program.name('rollcall').description('Manage the apps, tokens and database of Rollcall').showHelpAfterError();
addAppCommands(program, runWithApp);
addTokenCommands(program, runWithApp);
addMigrateCommand(program, runWithApp);
addExpireCommand(program, runWithApp);
addAuditCommands(program, runWithApp);
addBackupCommands(program);
addResealCommand(program, runWithApp);
addDoctorCommand(program);
addOpenapiCommand(program);

program.parseAsync().catch((error: unknown) => {
  console.error(startFailure(error));
  process.exitCode = 1;
});
