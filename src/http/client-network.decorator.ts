import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { clientAddressOf } from './client-address.js';
import { networkOf } from './network-of.js';

/** The network of the caller, by which guesses are counted. Nest's `@Ip` repeats what a proxy wrote, with the port. */
export const ClientNetwork = createParamDecorator((_data: unknown, context: ExecutionContext): string => {
  const request = context.switchToHttp().getRequest<FastifyRequest>();
  return networkOf(clientAddressOf(request.raw, request.server.rollcall.isTrustedProxy));
});
