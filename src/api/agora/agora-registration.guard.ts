import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { App } from '../../apps/app.js';
import { TokensService } from '../../auth/tokens.service.js';
import { AppError } from '../../errors/app-error.js';
import { bearerOf } from '../../http/bearer.js';
import { AgoraAppGuard } from './agora-app.guard.js';

/** Registration: requires an app token, or none if the app is open. A token that is sent must be valid. */
@Injectable()
export class AgoraRegistrationGuard implements CanActivate {
  constructor(
    private readonly appGuard: AgoraAppGuard,
    private readonly tokens: TokensService,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    await this.appGuard.canActivate(context);
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const app = request.rollcall.app as App;
    if (request.headers.authorization !== undefined) {
      this.tokens.authenticateApp(app, bearerOf(request));
      request.rollcall.caller = 'server';
    } else if (!app.settings.open_registration) throw new AppError('registration_closed');
    return true;
  }
}
