import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { App } from '../../apps/app.js';
import { breathe } from '../../database/costly-reads.js';
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

const writtenAtOnce = 100;

/**
 * An answer of some members and a list of any length behind them, as text: written in one go, a long one would hold
 * everybody up.
 */
export async function longAnswer<Item>(
  reply: FastifyReply,
  results: Readonly<Record<string, unknown>>,
  list: string,
  items: readonly Item[],
  write: (item: Item) => unknown,
): Promise<string> {
  const parts: string[] = [];
  for (let start = 0; start < items.length; start += writtenAtOnce) {
    if (start > 0) await breathe();
    parts.push(JSON.stringify(items.slice(start, start + writtenAtOnce).map(write)).slice(1, -1));
  }
  reply.header('content-type', 'application/json; charset=utf-8');
  const others = JSON.stringify(results).slice(1, -1);
  return `{"results":{${others},${JSON.stringify(list)}:[${parts.join(',')}]},"status":200}`;
}
