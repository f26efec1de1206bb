import { type CanActivate, type ExecutionContext, Injectable, SetMetadata, type Type } from '@nestjs/common';
import { ModuleRef, Reflector } from '@nestjs/core';
import { AppError } from '../errors/app-error.js';
import { RouteMemory } from './route-memory.js';

const accessMetadata = 'rollcall:access';
const everyone = 'everyone';

/** Who may call a route or a controller: those whom this guard lets in. */
export const AccessBy = (guard: Type<CanActivate>): MethodDecorator & ClassDecorator =>
  SetMetadata(accessMetadata, guard);

/** A route that anyone may call. A test lists them all. */
export const OpenToEveryone = (): MethodDecorator & ClassDecorator => SetMetadata(accessMetadata, everyone);

/** The one global guard. A route that does not say who may call it is closed to all. */
@Injectable()
export class AccessGuard implements CanActivate {
  private readonly guards = new RouteMemory((context) => this.guardOf(context));

  constructor(
    private readonly reflector: Reflector,
    private readonly moduleRef: ModuleRef,
  ) {}

  canActivate(context: ExecutionContext): ReturnType<CanActivate['canActivate']> {
    const guard = this.guards.of(context);
    return guard === everyone || guard.canActivate(context);
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
