import 'reflect-metadata';
import { createHttpApplication } from './http-application.js';
import { Metrics } from './api/operations/metrics.service.js';
import { AppsService } from './apps/apps.service.js';
import { bannerFor } from './banner.js';
import { loadEnv } from './config/env.js';
import { Database } from './database/database.js';
import { unsafeSettings } from './database/diagnostics.js';
import { LogDestination } from './logging/log-destination.js';
import { createLogger } from './logging/pino-logger.js';
import { stopGracefully } from './shutdown.js';
import { startFailure } from './start-failure.js';
import type { StopSignal } from './stop-signal.js';

/** The service, from reading its settings until it listens. If it cannot start, the process exits with 1. */
export async function runService(stopSignal: StopSignal): Promise<void> {
  try {
    await start(stopSignal);
  } catch (error) {
    console.error(startFailure(error));
    process.exit(1);
  }
}

async function start(stopSignal: StopSignal): Promise<void> {
  const env = loadEnv();
  const output = new LogDestination(1);
  const logger = createLogger(env.logLevel, output);
  const { app } = await createHttpApplication(env, logger);
  app.get(Metrics).observeLog(output);
  for (const text of await unsafeSettings(app.get(Database))) logger.warn({ context: 'Database' }, text);
  await app.get(AppsService).bootstrap();
  stopGracefully(stopSignal, app, env, logger, output);
  // With Node's 511, half of a thousand simultaneous connections would get no answer until they retry, seconds later.
  await app.listen({ port: env.port, host: env.host, backlog: 4_096 });
  output.write(`${await bannerFor(app, env, process.stdout.isTTY)}\n`);
}
