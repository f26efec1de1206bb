import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { App } from '../../apps/app.js';
import { reservedOrgs } from '../../apps/app-name.js';
import { AppsService } from '../../apps/apps.service.js';
import { AppError } from '../../errors/app-error.js';

/** Finds the app of the path, for routes that need no token. Everything else of the dialect stands behind this. */
@Injectable()
export class AgoraAppGuard implements CanActivate {
  constructor(private readonly apps: AppsService) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    request.rollcall.app = await this.appOf(request);
    return true;
  }

  private async appOf(request: FastifyRequest): Promise<App> {
    const { org, app: name, appId } = request.params as { org?: string; app?: string; appId?: string };
    if (org !== undefined && reservedOrgs.has(org.toLowerCase())) throw new AppError('route_not_found');
    const app = appId === undefined ? await this.apps.find(org ?? '', name ?? '') : await this.apps.findByAppId(appId);
    if (app === null) throw new AppError('app_not_found');
    if (app.disabled) throw new AppError('app_disabled');
    return app;
  }
}
