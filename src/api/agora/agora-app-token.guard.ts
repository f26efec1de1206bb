import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { App } from '../../apps/app.js';
import { TokensService } from '../../auth/tokens.service.js';
import { bearerOf } from '../../http/bearer.js';
import { AgoraAppGuard } from './agora-app.guard.js';

/** Requires an app token of the app in the path. An unknown app is reported first: 404 before 401. */
@Injectable()
export class AgoraAppTokenGuard implements CanActivate {
  constructor(
    private readonly appGuard: AgoraAppGuard,
    private readonly tokens: TokensService,
  ) {}

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const entered = this.appGuard.canActivate(context);
    return entered instanceof Promise ? entered.then(() => this.checkToken(request)) : this.checkToken(request);
  }

  private checkToken(request: FastifyRequest): boolean {
    this.tokens.authenticateApp(request.rollcall.app as App, bearerOf(request));
    request.rollcall.caller = 'server';
    return true;
  }
}
