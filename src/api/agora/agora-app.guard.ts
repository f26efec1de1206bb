import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { App } from '../../apps/app.js';
import { reservedOrgs } from '../../apps/app-name.js';
import { AppsService } from '../../apps/apps.service.js';
import { AppError } from '../../errors/app-error.js';

/**
 * Resolves the app in the path, for routes that need no token. Every other guard of the dialect builds on it. A cached
 * app is returned without a promise.
 */
@Injectable()
export class AgoraAppGuard implements CanActivate {
  constructor(private readonly apps: AppsService) {}

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const app = this.appOf(request);
    return app instanceof Promise ? app.then((found) => enter(request, found)) : enter(request, app);
  }

  private appOf(request: FastifyRequest): App | null | Promise<App | null> {
    const { org, app: name, appId } = request.params as { org?: string; app?: string; appId?: string };
    if (org !== undefined && reservedOrgs.has(org.toLowerCase())) throw new AppError('route_not_found');
    return appId === undefined ? this.apps.find(org ?? '', name ?? '') : this.apps.findByAppId(appId);
  }
}

function enter(request: FastifyRequest, app: App | null): boolean {
  if (app === null) throw new AppError('app_not_found');
  if (app.disabled) throw new AppError('app_disabled');
  request.rollcall.app = app;
  return true;
}
