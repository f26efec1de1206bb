import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { randomBytes } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Logger } from 'pino';
import { AppModule } from './app.module.js';
import { AuditTrail } from './audit/audit-trail.service.js';
import { Clock } from './clock/clock.js';
import type { Env } from './config/env.js';
import { IdempotencyService } from './idempotency/idempotency.service.js';
import { PinoLogger } from './logging/pino-logger.js';
import { trustedProxies } from './http/client-address.js';
import { Pipelines } from './http/pipelines.js';
import { canonicalTarget } from './http/request-target.js';
import { ArrivingBodies } from './http/arriving-bodies.js';
import { Connections } from './http/connections.js';
import { ErrorFilter } from './http/error.filter.js';
import { boundOpenRoutes } from './api/operations/open-routes.js';
import { LoadShedder } from './http/load-shedder.js';
import { dialects } from './dialects.js';
import { Metrics } from './api/operations/metrics.service.js';
import { serveApiDocuments } from './api/operations/api-documents.js';
import { Readiness } from './http/readiness.js';
import { AppError } from './errors/app-error.js';
import { parseQuery } from './http/query.js';
import { RawBody } from './http/raw-body.js';
import { faultOfHead, faultOfTarget, isEncoded, maxHeadBytes, maxTargetBytes } from './http/request-head.js';
import type { ServerState } from './http/request-state.js';
import { RouteTable } from './http/route-table.js';
import { endStalled } from './http/stalled-socket.js';

const maxBodyBytes = 64 * 1024;
/** Node would refuse this with its own error format. */
const ourOwnRefusals = { requireHostHeader: false };

/** The service with all of its limits, not listening yet. */
export async function createHttpApplication(
  env: Env,
  logger: Logger,
): Promise<{ app: NestFastifyApplication; routes: RouteTable }> {
  const isTrustedProxy = trustedProxies(env.trustProxy);
  const pipelines = new Pipelines();
  // The explicit type is needed because the options below refer to what is created from the adapter.
  const adapter: FastifyAdapter = new FastifyAdapter({
    bodyLimit: maxBodyBytes,
    // A sender that stalls is cut off: headers after 5 s, the whole request after 10 s.
    requestTimeout: 10_000,
    // A client that reads nothing of an answer is cut off after 6.5 to 13 s, as Node checks progress twice. This has to
    // exceed the limit for headers plus the second in which that is noticed, so that slow senders still get their 408.
    connectionTimeout: 6_500,
    http: { headersTimeout: 5_000, connectionsCheckingInterval: 1_000, maxHeaderSize: maxHeadBytes, ...ourOwnRefusals },
    // Longer than the idle timeout of load balancers, so that they close first.
    keepAliveTimeout: env.keepAliveTimeoutMs,
    // Names may be up to 255 long; for longer ones, the look-up itself says that they do not exist.
    routerOptions: { maxParamLength: maxTargetBytes, querystringParser: parseQuery },
    trustProxy: isTrustedProxy,
    rewriteUrl: (request: IncomingMessage) => routedTarget(request.url),
    genReqId: requestIds(),
    // What Fastify and Node refuse before there is a route gets the same errors as everything else.
    frameworkErrors: (error: Error, request: FastifyRequest, reply: FastifyReply) => {
      request.rollcall = { startedAt: app.get(Clock).monotonic(), holdsPlace: false };
      filter.answer(error, request, reply);
    },
    clientErrorHandler: (error, socket) =>
      pipelines.hold(error, socket) || filter.answerOnSocket(error, socket, app.get(Clock)),
  });
  const fastify = adapter.getInstance<FastifyInstance>();
  pipelines.guard(fastify.server);
  fastify.server.on('timeout', endStalled);
  // A client may close its side after sending its request. Node would then close ours before the answer is written.
  Object.assign(fastify.server, { httpAllowHalfOpen: true });
  const routes = new RouteTable(fastify);
  boundOpenRoutes(fastify);
  const filter = new ErrorFilter(dialects, routes, logger);
  const app = await NestFactory.create<NestFastifyApplication>(AppModule.forRoot(env), adapter, {
    logger: new PinoLogger(logger),
    bodyParser: false,
    abortOnError: false,
  });
  fastify.decorate('rollcall', {
    clock: app.get(Clock),
    publicUrl: env.publicUrl,
    isTrustedProxy,
    idempotency: app.get(IdempotencyService),
    audit: app.get(AuditTrail),
  } satisfies ServerState);
  prepareRequests(fastify, app.get(Clock), app.get(Readiness));
  const clock = app.get(Clock);
  const connections = new Connections(env.maxConnectionsPerAddress, isTrustedProxy, () => clock.monotonic());
  connections.guard(fastify.server);
  app.get(Metrics).observe(fastify);
  app.get(Metrics).observeConnections(connections.cut);
  new ArrivingBodies(connections).guard(fastify);
  new LoadShedder(filter).guard(fastify);
  app.enableCors({
    // In its default place, Nest also sets the headers on Node's response, which makes Node write every answer the slow
    // way.
    hook: 'preParsing',
    // An OPTIONS request that is not a preflight is answered too, but not in the plugin's own format.
    strictPreflight: false,
    origin: env.corsOrigin === '*' ? '*' : [...env.corsOrigin],
    // Without this, a browser could neither ban a user nor change a password.
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    exposedHeaders: [
      'Retry-After',
      'RateLimit-Limit',
      'RateLimit-Remaining',
      'RateLimit-Reset',
      'X-Request-Id',
      'X-Operation-Id',
      'Idempotency-Replayed',
    ],
    maxAge: 86_400,
  });
  app.useGlobalFilters(filter);
  serveApiDocuments(app, dialects);
  // Without a listener, Node closes the connection silently, and refuses any expectation other than 100-continue.
  fastify.server.on('connect', (_request, socket: Socket) =>
    filter.answerOnSocket(new Error('a proxy is wanted'), socket, app.get(Clock)),
  );
  fastify.server.on('checkExpectation', (request, response) => fastify.server.emit('request', request, response));
  await app.init();
  await fastify.ready();
  return { app, routes };
}

function prepareRequests(fastify: FastifyInstance, clock: Clock, readiness: Readiness): void {
  // Bodies stay bytes until the guard has identified the caller; each dialect parses them in its own way.
  fastify.removeAllContentTypeParsers();
  // Some Qiscus clients send all of their parameters in the body of a GET. It is awaited like any other.
  fastify.addHttpMethod('GET', { hasBody: true, overrideExisting: true });
  fastify.addContentTypeParser('*', { parseAs: 'buffer' }, ({ raw, rollcall }, body, done) =>
    isEncoded(raw)
      ? done(new AppError('encoding_unsupported'))
      : // What has a length of 0 is as good as not there.
        done(null, body.length === 0 ? undefined : new RawBody(body as Buffer, rollcall.contentType ?? '')),
  );
  fastify.decorateRequest('rollcall');
  const refused = new WeakSet<Socket>();
  fastify.addHook('onRequest', (request, reply, done) => {
    request.rollcall = {
      startedAt: clock.monotonic(),
      contentType: request.headers['content-type'],
      holdsPlace: false,
    };
    // Bodies are JSON whatever their type, so no type is wrong: Fastify would refuse one that it cannot parse.
    delete request.raw.headers['content-type'];
    reply.header('x-request-id', request.id);
    // A client that keeps its connection would find it closed later.
    if (readiness.draining) {
      readiness.countLateRequest(request.url);
      reply.header('connection', 'close');
    }
    const { socket } = request.raw;
    const fault = refused.has(socket) ? 'request_malformed' : faultOfHead(request.raw);
    if (fault === null) return done();
    // Whatever follows on this connection may have been meant as a part of this request.
    refused.add(socket);
    reply.header('connection', 'close');
    done(new AppError(fault));
  });
}

/**
 * The target that is routed. One that cannot lead anywhere (`faultOfTarget`) is replaced: Fastify would refuse it
 * outside of all hooks, without the headers that every other answer has.
 */
function routedTarget(target: string | undefined): string {
  const canonical = canonicalTarget(target);
  if (faultOfTarget(canonical) === null) return canonical;
  return dialects.of(canonical).nowhere;
}

/** Short, and different on every node and after every start. */
function requestIds(): () => string {
  const prefix = randomBytes(6).toString('base64url');
  let count = 0;
  return () => `${prefix}-${(count += 1).toString(36)}`;
}
