import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { App } from '../../apps/app.js';
import { TokensService } from '../../auth/tokens.service.js';
import { AppError } from '../../errors/app-error.js';
import { bearerOf } from '../../http/bearer.js';
import type { User } from '../../users/user.js';
import { foldUsername } from '../../users/username.js';
import { AgoraAppGuard } from './agora-app.guard.js';

/**
 * For routes about a user's own data: accepts an app token and, if the app has `user_tokens`, a token of the user named
 * in the path.
 */
@Injectable()
export class AgoraOwnUserGuard implements CanActivate {
  constructor(
    private readonly appGuard: AgoraAppGuard,
    private readonly tokens: TokensService,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    await this.appGuard.canActivate(context);
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const app = request.rollcall.app as App;
    const bearer = bearerOf(request);
    if (!app.settings.user_tokens || this.tokens.isAppToken(app, bearer)) {
      this.tokens.authenticateApp(app, bearer);
      request.rollcall.caller = 'server';
    } else {
      const { username = '' } = request.params as { username?: string };
      const account = await this.authenticateOwner(app, bearer, username);
      request.rollcall.caller = account.uuid;
      request.rollcall.user = { account, token: bearer };
    }
    return true;
  }

  /** @throws AppError as for any other token that is not valid here */
  private async authenticateOwner(app: App, bearer: string, username: string): Promise<User> {
    const { user } = await this.tokens.authenticateUser(app, bearer).catch((error: unknown) => {
      throw error instanceof AppError && error.code === 'user_banned' ? new AppError('token_not_accepted') : error;
    });
    const named = foldUsername(username);
    if (named !== user.username && named !== user.uuid) throw new AppError('token_not_accepted');
    return user;
  }
}
