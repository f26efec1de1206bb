import 'reflect-metadata';
import { bannerFor } from './banner.js';
import { createHttpApplication } from './api/http-application.js';
import { AppsService } from './apps/apps.service.js';
import { EnvError, loadEnv } from './config/env.js';
import { createLogger } from './logging/pino-logger.js';
import { stopGracefully } from './shutdown.js';

async function start(): Promise<void> {
  const env = loadEnv();
  const logger = createLogger(env.logLevel);
  const { app } = await createHttpApplication(env, logger);
  stopGracefully(app, env, logger);
  await app.get(AppsService).bootstrap();
  await app.listen(env.port, env.host);
  console.log(await bannerFor(app, env));
}

start().catch((error: unknown) => {
  // The settings' message is for a person; anything else needs its stack.
  console.error(error instanceof EnvError ? error.message : error);
  process.exit(1);
});
