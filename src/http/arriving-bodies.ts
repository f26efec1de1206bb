import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Connections } from './connections.js';

/** For all incoming bodies together, by their announced length. */
const maxBytes = 128 * 1024 * 1024;

/**
 * Incomplete bodies occupy memory but no request slot. When more bytes are announced than there is room for, the body
 * that has been arriving longest is cut off: a sender at normal speed is done long before, so a crowd of slow senders
 * shuts out only itself.
 */
export class ArrivingBodies {
  /** Announced bytes, in order of arrival. */
  private readonly bodies = new Map<FastifyRequest, number>();
  private bytes = 0;

  constructor(private readonly connections: Connections) {}

  guard(fastify: FastifyInstance): void {
    fastify.addHook('preParsing', (request, _reply, _payload, done) => {
      const { 'content-length': length, 'transfer-encoding': encoding } = request.headers;
      if (encoding !== undefined) this.add(request, request.routeOptions.bodyLimit);
      // Fastify refuses a body that announces more than the limit.
      else if (length !== undefined) this.add(request, Math.min(Number(length), request.routeOptions.bodyLimit));
      done();
    });
    fastify.addHook('preValidation', (request, _reply, done) => {
      this.remove(request);
      done();
    });
    // Bodies that never arrived, or were refused.
    fastify.addHook('onSend', (request, _reply, _payload, done) => {
      this.remove(request);
      done();
    });
  }

  private add(request: FastifyRequest, bytes: number): void {
    this.bodies.set(request, bytes);
    this.bytes += bytes;
    while (this.bytes > maxBytes) {
      const [oldest] = this.bodies.keys();
      if (oldest === undefined) return;
      this.remove(oldest);
      this.connections.end(oldest.raw.socket, 'memory');
    }
  }

  private remove(request: FastifyRequest): void {
    const bytes = this.bodies.get(request);
    if (bytes === undefined) return;
    this.bodies.delete(request);
    this.bytes -= bytes;
  }
}
