import 'reflect-metadata';
import { bannerFor } from './banner.js';
import { createHttpApplication } from './api/http-application.js';
import { AppsService } from './apps/apps.service.js';
import { EnvError, loadEnv } from './config/env.js';
import { Database } from './database/database.js';
import { unsafeSettings } from './database/examination.js';
import { createLogger } from './logging/pino-logger.js';
import { errorText } from './logging/told-error.js';
import { stopGracefully } from './shutdown.js';

async function start(): Promise<void> {
  const env = loadEnv();
  const logger = createLogger(env.logLevel);
  const { app } = await createHttpApplication(env, logger);
  stopGracefully(app, env, logger);
  for (const text of await unsafeSettings(app.get(Database))) logger.warn({ context: 'Database' }, text);
  await app.get(AppsService).bootstrap();
  // Of Node's 511, a thousand who connect at once leave half without an answer until they try again, after seconds.
  await app.listen({ port: env.port, host: env.host, backlog: 4_096 });
  console.log(await bannerFor(app, env));
}

/** What a person can mend is said in a sentence; anything else needs its stack. */
function explain(error: unknown): string {
  if (error instanceof EnvError) return error.message;
  const { code, address, port } = error as { code?: string; address?: string; port?: number };
  return code === 'EADDRINUSE'
    ? `${address}:${port} is in use by another program: stop that, or set PORT`
    : errorText(error);
}

start().catch((error: unknown) => {
  console.error(explain(error));
  process.exit(1);
});
