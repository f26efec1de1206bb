import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import type { Socket } from 'node:net';
import { AppError } from '../../errors/app-error.js';

/** Everybody may call these, and each answer is large or costs a millisecond and more. */
const open = /^\/(docs|metrics|health)(\/|$)/;
const documents = /^\/docs\/openapi\.(json|yaml)$/;

/**
 * Keeps what needs no credentials cheap: one at a time on a connection. Node begins to serve a thousand requests that came
 * in one packet before it looks at anybody else, holds all answers if they are not taken, and never tells those behind
 * the first that the connection is gone, so each would leave its file open. No browser or scraper sends a request before
 * it has the answer to the last. Must see Fastify before the routes are added.
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

/** The documents do not change while the service runs, and writing one costs up to 50 ms. */
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
