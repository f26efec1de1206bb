import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { randomBytes } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { AppModule } from '../app.module.js';
import { Clock } from '../clock/clock.js';
import type { Env } from '../config/env.js';
import { PinoLogger } from '../logging/pino-logger.js';
import { ErrorFilter } from './error.filter.js';
import { Metrics } from './operations/metrics.service.js';
import { serveApiDocuments } from './operations/api-documents.js';
import { Readiness } from './operations/readiness.js';
import { RouteTable } from './route-table.js';

const bodyBytesMost = 64 * 1024;

/** The service with all of its limits, not yet listening. */
export async function createHttpApplication(
  env: Env,
  logger: Logger,
): Promise<{ app: NestFastifyApplication; routes: RouteTable }> {
  const adapter = new FastifyAdapter({
    bodyLimit: bodyBytesMost,
    // A sender that stalls is cut off: headers after 5 s, the whole request after 10 s.
    requestTimeout: 10_000,
    http: { headersTimeout: 5_000, connectionsCheckingInterval: 1_000, maxHeaderSize: 8_192 },
    // Longer than the idle time of common load balancers, so that they hang up first.
    keepAliveTimeout: 72_000,
    // Names may be up to 255 long; longer ones are still told that they do not exist.
    routerOptions: { maxParamLength: 1024 },
    trustProxy: env.trustProxy.length === 0 ? false : [...env.trustProxy],
    genReqId: requestIds(),
  });
  const fastify = adapter.getInstance<FastifyInstance>();
  const routes = new RouteTable(fastify);
  const app = await NestFactory.create<NestFastifyApplication>(AppModule.forRoot(env), adapter, {
    logger: new PinoLogger(logger),
    bodyParser: false,
    abortOnError: false,
  });
  fastify.decorate('rollcall', { clock: app.get(Clock), publicUrl: env.publicUrl });
  prepareRequests(fastify, app.get(Clock), app.get(Readiness));
  app.get(Metrics).observe(fastify);
  app.enableCors({ origin: env.corsOrigin === '*' ? '*' : env.corsOrigin.split(','), maxAge: 86_400 });
  app.useGlobalFilters(new ErrorFilter(routes, logger));
  serveApiDocuments(app);
  await app.init();
  await fastify.ready();
  return { app, routes };
}

function prepareRequests(fastify: FastifyInstance, clock: Clock, readiness: Readiness): void {
  // Bodies stay bytes until the guard has said who calls; each dialect reads them in its own way.
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  fastify.decorateRequest('rollcall');
  fastify.addHook('onRequest', (request, reply, done) => {
    request.rollcall = { startedAt: clock.monotonic() };
    reply.header('x-request-id', request.id);
    // A client that keeps its connection would meet a closed one later.
    if (readiness.draining) reply.header('connection', 'close');
    done();
  });
}

/** Short, and different on every node and after every start. */
function requestIds(): () => string {
  const prefix = randomBytes(6).toString('base64url');
  let count = 0;
  return () => `${prefix}-${(count += 1).toString(36)}`;
}
