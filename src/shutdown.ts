import { setTimeout as sleep } from 'node:timers/promises';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Logger } from 'pino';
import { Readiness } from './http/readiness.js';
import type { Env } from './config/env.js';
import { GatewayService } from './gateway/gateway.service.js';
import type { LogDestination } from './logging/log-destination.js';
import type { StopSignal } from './stop-signal.js';

/** Longer than any request may take; what still hangs then is given up. */
const maxCloseMs = 15_000;
/** So many looks in a row without a request: then nobody sends any more. */
const quietLooks = 10;
const lookEveryMs = 50;
/** A load balancer that has not noticed by then, or a client without one, never will. */
const maxLooks = 100;
/** How long the end waits for a reader of the log that is behind. */
const maxLogFlushMs = 500;

/**
 * On SIGTERM or SIGINT: says "not ready", serves on until load balancers have noticed and nobody sends requests any more,
 * then finishes what is under way and closes. A second signal ends the process at once. An error that nobody caught ends it the same gentle way.
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
    setTimeout(() => process.exit(1), env.shutdownDrainMs + maxLooks * lookEveryMs + maxCloseMs).unref();
    void drain(app, env.shutdownDrainMs)
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

/**
 * The given time is how long load balancers need, and a busy one needs longer: to close under its requests would fail
 * them. So the node still listens until nobody has asked for a while. Connections that are idle are closed before the
 * listening socket, so that whoever finds one gone can open another.
 */
async function drain(app: NestFastifyApplication, drainMs: number): Promise<void> {
  if (drainMs === 0) return;
  await sleep(drainMs);
  const readiness = app.get(Readiness);
  let looks = 0;
  const untilNobodyAsks = async (): Promise<void> => {
    // Looks are counted and not the time: what came while this process stood still has not been read yet.
    for (let quiet = 0; quiet < quietLooks && looks < maxLooks; looks += 1) {
      const before = readiness.lateRequests;
      await sleep(lookEveryMs);
      quiet = readiness.lateRequests === before ? quiet + 1 : 0;
    }
  };
  await untilNobodyAsks();
  app.getHttpServer().closeIdleConnections();
  await untilNobodyAsks();
}
