import { setTimeout as sleep } from 'node:timers/promises';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Logger } from 'pino';
import { Readiness } from './api/operations/readiness.js';
import type { Env } from './config/env.js';
import { GatewayService } from './gateway/gateway.service.js';
import type { LogDestination } from './logging/log-destination.js';
import type { StopSignal } from './stop-signal.js';

/** Longer than any request may take; what still hangs then is given up. */
const closeMostMs = 15_000;
/** How long the end waits for a reader of the log that is behind. */
const maxLogFlushMs = 500;

/**
 * On SIGTERM or SIGINT: says "not ready", serves on until load balancers have noticed, then finishes what is under way
 * and closes. A second signal ends the process at once. An error that nobody caught ends it the same gentle way.
 */
export function stopGracefully(
  stopSignal: StopSignal,
  app: NestFastifyApplication,
  env: Env,
  logger: Logger,
  output: LogDestination,
): void {
  let stopping: { readonly exitCode: number } | null = null;
  const exit = async (code: number): Promise<void> => {
    await output.flush(maxLogFlushMs);
    process.exit(code);
  };
  const stop = (why: string, exitCode: number): void => {
    stopping = { exitCode };
    logger.info({ why, drainMs: env.shutdownDrainMs }, 'stopping');
    app.get(Readiness).startDraining();
    // At once: clients of the gateway have another node to find, and are told when.
    void app.get(GatewayService).drain();
    setTimeout(() => process.exit(1), env.shutdownDrainMs + closeMostMs).unref();
    void sleep(env.shutdownDrainMs)
      .then(() => app.close())
      .then(
        () => exit(exitCode),
        (error: unknown) => {
          logger.fatal({ err: error }, 'could not close');
          return exit(1);
        },
      );
  };
  stopSignal.onStop = (signal) => {
    if (stopping !== null) process.exit(stopping.exitCode === 0 ? 130 : stopping.exitCode);
    stop(signal, 0);
  };
  const onBug = (err: unknown): void => {
    logger.fatal({ err }, 'an error that nobody caught');
    if (stopping === null) stop('uncaught error', 1);
  };
  process.on('uncaughtException', onBug);
  process.on('unhandledRejection', onBug);
}
