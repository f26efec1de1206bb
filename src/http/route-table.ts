import type { FastifyInstance } from 'fastify';

/** The routes of the running service, as Fastify knows them. */
export class RouteTable {
  readonly routes: { readonly method: string; readonly url: string }[] = [];
  private readonly patterns: { readonly method: string; readonly pattern: RegExp }[] = [];

  /** Must be attached to Fastify before any route is added. */
  constructor(fastify: FastifyInstance) {
    fastify.addHook('onRoute', (route) => {
      const { method, url, config } = route;
      // Fastify answers HEAD by running GET. Clients and proxies send it to look, never to change anything.
      if (method === 'HEAD' && config?.changesSomething === true) {
        route.preValidation = (_request, reply) => void reply.callNotFound();
        return;
      }
      for (const one of [method].flat()) {
        this.routes.push({ method: one, url });
        // The preflight route covers every path and says nothing about what is there.
        if (url !== '*') this.patterns.push({ method: one, pattern: toPattern(url) });
      }
    });
  }

  /** The methods of the routes with this path. */
  methodsFor(path: string): string[] {
    return [...new Set(this.patterns.flatMap(({ method, pattern }) => (pattern.test(path) ? method : [])))];
  }
}

function toPattern(url: string): RegExp {
  const segments = url.split('/').map((segment) => {
    if (segment.startsWith(':')) return '[^/]+';
    return segment === '*' ? '.*' : segment.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  });
  return new RegExp(`^${segments.join('/')}/?$`);
}
