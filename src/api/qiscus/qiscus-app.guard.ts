import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { App } from '../../apps/app.js';
import { AppsService } from '../../apps/apps.service.js';
import { AppError } from '../../errors/app-error.js';
import { headerOf } from './qiscus-headers.js';

/** Finds the app that a call names. The rest of the dialect relies on this guard. */
@Injectable()
export class QiscusAppGuard implements CanActivate {
  constructor(private readonly apps: AppsService) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    request.rollcall.app = await this.appOf(request);
    return true;
  }

  /**
   * By the header; without one, by the subdomain (`https://APP_ID.example.com`), as in the older documents; else by the
   * secret, if only one app has it.
   */
  async appOf(request: FastifyRequest): Promise<App> {
    const named = headerOf(request, 'qiscus-sdk-app-id');
    const app =
      named === undefined
        ? ((await this.bySubDomain(request)) ?? (await this.bySecret(request)))
        : await this.byIdOrAlias(named);
    if (app === null) throw new AppError('app_not_found');
    if (app.disabled) throw new AppError('app_disabled');
    return app;
  }

  private async bySubDomain(request: FastifyRequest): Promise<App | null> {
    const [label = '', ...domain] = request.hostname.split('.');
    return domain.length === 0 ? null : this.byIdOrAlias(label);
  }

  private async bySecret(request: FastifyRequest): Promise<App | null> {
    const secret = headerOf(request, 'qiscus-sdk-secret');
    return secret === undefined ? null : this.apps.findByCertificate(secret);
  }

  private async byIdOrAlias(name: string): Promise<App | null> {
    return (await this.apps.findByAppId(name)) ?? (await this.apps.findByAlias(name));
  }
}
