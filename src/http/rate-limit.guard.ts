import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { rateLimitKey, type RateLimitRule } from '../rate-limit/rate-limit.decorator.js';
import { type Decision, RateLimits } from '../rate-limit/rate-limits.service.js';
import { RouteMemory } from './route-memory.js';

interface LimitedRoute extends RateLimitRule {
  readonly name: string;
}

/**
 * Counts each call of a handler with `@RateLimit`, after the access guard has identified the app and before the body is
 * read. Every answer of such a route has RateLimit-* headers. A guard rather than an interceptor:
 * docs/decisions/0013-no-interceptors.md.
 */
@Injectable()
export class RateLimitGuard implements CanActivate {
  private readonly routes = new RouteMemory((context) => this.routeOf(context));

  constructor(
    private readonly limits: RateLimits,
    private readonly reflector: Reflector,
  ) {}

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const route = this.routes.of(context);
    if (route === null) return true;
    const http = context.switchToHttp();
    const { app, user } = http.getRequest<FastifyRequest>().rollcall;
    if (app === undefined) return true;
    const decision =
      user === undefined
        ? this.limits.admit(app, route.name, route.perSecond, route.pool)
        : this.limits.admitUserCall(app, user.account.uuid, route.name, route.perSecond);
    if (decision === null) return true;
    const reply = http.getResponse<FastifyReply>();
    return decision instanceof Promise
      ? decision.then((made) => this.follow(made, route, reply))
      : this.follow(decision, route, reply);
  }

  private follow(decision: Decision, route: LimitedRoute, reply: FastifyReply): boolean | Promise<boolean> {
    reply.header('ratelimit-limit', decision.limit);
    reply.header('ratelimit-remaining', decision.remaining);
    reply.header('ratelimit-reset', Math.ceil(decision.resetMs / 1_000));
    if (decision.allowed) return true;
    // In the next turn of the event loop: refused callers do not delay those that are served in this one.
    return new Promise((_resolve, reject) => setImmediate(reject, this.limits.rejection(route.name, decision)));
  }

  private routeOf(context: ExecutionContext): LimitedRoute | null {
    const handler = context.getHandler();
    const rule = this.reflector.getAllAndOverride<RateLimitRule | undefined>(rateLimitKey, [
      handler,
      context.getClass(),
    ]);
    // Not the path: a handler with two paths has one limit.
    return rule === undefined ? null : { ...rule, name: `${context.getClass().name}.${handler.name}` };
  }
}
