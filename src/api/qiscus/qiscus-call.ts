import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { App } from '../../apps/app.js';
import { type QiscusParameters, readParameters } from './qiscus-parameters.js';

/** The app of the call, for a handler behind one of the dialect's guards. */
export const CallingApp = createParamDecorator((_data: unknown, context: ExecutionContext): App => {
  const { app } = context.switchToHttp().getRequest<FastifyRequest>().rollcall;
  if (app === undefined) throw new Error('the guard has not found the app of this call');
  return app;
});

/** What the call carries, wherever and however it was written. */
export const Parameters = createParamDecorator((_data: unknown, context: ExecutionContext): Promise<QiscusParameters> =>
  readParameters(context.switchToHttp().getRequest<FastifyRequest>()),
);

export interface QiscusAnswer<Results> {
  readonly results: Results;
  readonly status: 200;
}

/** Clients check the status in the body as well as the one of the response. */
export function answer<Results>(results: Results): QiscusAnswer<Results> {
  return { results, status: 200 };
}
