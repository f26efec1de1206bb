import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { clientAddressOf } from './client-address.js';
import { networkOf } from './network-of.js';

/** The caller's network, by which guesses are counted. Nest's `@Ip` returns what a proxy wrote, including the port. */
export const ClientNetwork = createParamDecorator((_data: unknown, context: ExecutionContext): string => {
  const request = context.switchToHttp().getRequest<FastifyRequest>();
  return networkOf(clientAddressOf(request.raw, request.server.rollcall.isTrustedProxy));
});
