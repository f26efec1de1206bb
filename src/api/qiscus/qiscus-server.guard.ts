import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { App } from '../../apps/app.js';
import { isCertificateOf } from '../../auth/app-credentials.js';
import { AppError } from '../../errors/app-error.js';
import { QiscusAppGuard } from './qiscus-app.guard.js';
import { headerOf } from './qiscus-headers.js';

/** Admits the app server, which presents the secret (the App certificate). */
@Injectable()
export class QiscusServerGuard implements CanActivate {
  constructor(private readonly appGuard: QiscusAppGuard) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    await this.appGuard.canActivate(context);
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const secret = headerOf(request, 'qiscus-sdk-secret');
    if (secret === undefined) throw new AppError('token_missing');
    if (!isCertificateOf(request.rollcall.app as App, secret)) throw new AppError('token_not_accepted');
    request.rollcall.caller = 'server';
    return true;
  }
}
