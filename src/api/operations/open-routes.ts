import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import type { Socket } from 'node:net';
import { AppError } from '../../errors/app-error.js';

/** Anyone may call these, and each answer is large or costs at least a millisecond. */
const open = /^\/(docs|metrics|health)(\/|$)/;
const documents = /^\/docs\/openapi\.(json|yaml)$/;

/**
 * Keeps unauthenticated routes cheap: one request at a time per connection. Node starts serving a thousand requests
 * pipelined in one packet before anyone else's, buffers all answers that are not read, and never tells those after the
 * first that the connection is gone, so each would leak its open file. No browser or scraper pipelines requests. Must
 * be called before the routes are added.
 */
export function boundOpenRoutes(fastify: FastifyInstance): void {
  const busy = new WeakSet<Socket>();
  const admit = (request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void): void => {
    const { socket } = request.raw;
    if (busy.has(socket)) return done(new AppError('rate_limited', { retryAfterMs: 1_000 }));
    busy.add(socket);
    reply.raw.once('close', () => busy.delete(socket));
    done();
  };
  fastify.addHook('onRoute', (route) => {
    if (!open.test(route.url)) return;
    route.onRequest = [...[route.onRequest ?? []].flat(), admit];
    if (documents.test(route.url)) keepAnswer(route);
  });
}

/** The documents do not change while the service runs, and writing one takes up to 50 ms. */
function keepAnswer(route: RouteOptions): void {
  let kept: { readonly type: string; readonly bytes: Buffer } | undefined;
  route.preHandler = (_request, reply, done) => {
    if (kept === undefined) return done();
    void reply.type(kept.type).send(kept.bytes);
  };
  route.onSend = (_request, reply, payload, done) => {
    if (typeof payload === 'string' && reply.statusCode === 200)
      kept = { type: String(reply.getHeader('content-type')), bytes: Buffer.from(payload) };
    done();
  };
}
