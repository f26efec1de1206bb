import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { clientAddressOf } from '../http/client-address.js';

/** The address of the caller. Nest's `@Ip` repeats what a proxy wrote, with the port of the connection. */
export const ClientAddress = createParamDecorator((_data: unknown, context: ExecutionContext): string => {
  const request = context.switchToHttp().getRequest<FastifyRequest>();
  return clientAddressOf(request.raw, request.server.rollcall.isTrustedProxy);
});
