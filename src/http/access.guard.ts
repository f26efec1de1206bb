import { type CanActivate, type ExecutionContext, Injectable, SetMetadata, type Type } from '@nestjs/common';
import { ModuleRef, Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import { AppError } from '../errors/app-error.js';
import { unreadableQuery } from './query.js';
import { RouteMemory } from './route-memory.js';

const accessMetadata = 'rollcall:access';
const everyone = 'everyone';

/** Restricts a route or a controller to the callers that this guard admits. */
export const AccessBy = (guard: Type<CanActivate>): MethodDecorator & ClassDecorator =>
  SetMetadata(accessMetadata, guard);

/** A route that anyone may call. A test lists all of them. */
export const OpenToEveryone = (): MethodDecorator & ClassDecorator => SetMetadata(accessMetadata, everyone);

/** The one global guard. A route that does not say who may call it is closed to everybody. */
@Injectable()
export class AccessGuard implements CanActivate {
  private readonly guards = new RouteMemory((context) => this.guardOf(context));

  constructor(
    private readonly reflector: Reflector,
    private readonly moduleRef: ModuleRef,
  ) {}

  canActivate(context: ExecutionContext): ReturnType<CanActivate['canActivate']> {
    const guard = this.guards.of(context);
    if (guard === everyone) return true;
    // Checked first, as the router does for an unreadable path.
    if (context.switchToHttp().getRequest<FastifyRequest>().query === unreadableQuery)
      throw new AppError('request_malformed');
    return guard.canActivate(context);
  }

  private guardOf(context: ExecutionContext): CanActivate | typeof everyone {
    const access = this.reflector.getAllAndOverride<Type<CanActivate> | typeof everyone | undefined>(accessMetadata, [
      context.getHandler(),
      context.getClass(),
    ]);
    if (access === undefined) throw new AppError('token_missing');
    return access === everyone ? everyone : this.moduleRef.get<CanActivate>(access, { strict: false });
  }
}
