import { setTimeout as sleep } from 'node:timers/promises';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Logger } from 'pino';
import { Readiness } from './http/readiness.js';
import type { Env } from './config/env.js';
import { GatewayService } from './gateway/gateway.service.js';
import type { LogDestination } from './logging/log-destination.js';
import type { StopSignal } from './stop-signal.js';

/** Longer than any request may take; whatever still hangs then is abandoned. */
const maxCloseMs = 15_000;
/** After this many checks in a row without a request, nobody is sending any more. */
const quietLooks = 10;
const lookEveryMs = 50;
/** A load balancer that has not noticed by then, or a client without one, never will. */
const maxLooks = 100;
/** How long shutdown waits for a log reader that is behind. */
const maxLogFlushMs = 500;

/**
 * On SIGTERM or SIGINT: reports "not ready", keeps serving until load balancers have noticed and no more requests
 * arrive, then finishes what is in progress and closes. A second signal ends the process at once. An uncaught error
 * shuts it down in the same graceful way.
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
    // At once: gateway clients need another node, and are told when to connect.
    void app.get(GatewayService).drain();
    setTimeout(() => process.exit(1), env.shutdownDrainMs + maxLooks * lookEveryMs + maxCloseMs).unref();
    void drain(app, env.shutdownDrainMs)
      .then(() => app.close())
      .then(
        () => exit(exitCode),
        (error: unknown) => {
          logger.fatal({ err: error }, 'could not shut down cleanly');
          return exit(1);
        },
      );
  };
  stopSignal.onStop = (signal) => {
    if (stopping !== null) process.exit(stopping.exitCode === 0 ? 130 : stopping.exitCode);
    stop(signal, 0);
  };
  const onBug = (err: unknown): void => {
    logger.fatal({ err }, 'uncaught error');
    if (stopping === null) stop('uncaught error', 1);
  };
  process.on('uncaughtException', onBug);
  process.on('unhandledRejection', onBug);
}

/**
 * The configured time is what load balancers need, and a busy one needs longer: closing on its requests would fail
 * them. So the node keeps listening until no requests have come for a while. Idle connections are closed before the
 * listening socket, so that a client that finds one closed can open another.
 */
async function drain(app: NestFastifyApplication, drainMs: number): Promise<void> {
  if (drainMs === 0) return;
  await sleep(drainMs);
  const readiness = app.get(Readiness);
  let looks = 0;
  const untilNobodyAsks = async (): Promise<void> => {
    // Counts checks rather than time: what arrived while this process was suspended has not been read yet.
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
