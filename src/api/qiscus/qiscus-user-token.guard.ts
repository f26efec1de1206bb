import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { App } from '../../apps/app.js';
import { TokensService } from '../../auth/tokens.service.js';
import { AppError } from '../../errors/app-error.js';
import { foldUsername } from '../../users/username.js';
import { QiscusAppGuard } from './qiscus-app.guard.js';
import { headerOf } from './qiscus-headers.js';

/** Admits a logged-in client by its user token, which must be the named user's if the client names one. */
@Injectable()
export class QiscusUserTokenGuard implements CanActivate {
  constructor(
    private readonly appGuard: QiscusAppGuard,
    private readonly tokens: TokensService,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    await this.appGuard.canActivate(context);
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const token = headerOf(request, 'qiscus-sdk-token');
    if (token === undefined) throw new AppError('token_missing');
    const { user } = await this.tokens.authenticateUser(request.rollcall.app as App, token);
    // Android says "email" where the others say "id".
    const named = headerOf(request, 'qiscus-sdk-user-id') ?? headerOf(request, 'qiscus-sdk-user-email');
    if (named !== undefined && foldUsername(named) !== user.username) throw new AppError('token_not_accepted');
    request.rollcall.caller = user.uuid;
    request.rollcall.user = { account: user, token };
    return true;
  }
}
