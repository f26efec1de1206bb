import type { FastifyRequest } from 'fastify';
import { AppError } from '../errors/app-error.js';

/** The token of `Authorization: Bearer …`. @throws AppError token_missing */
export function bearerOf(request: FastifyRequest): string {
  const token = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1];
  if (token === undefined) throw new AppError('token_missing');
  return token;
}
