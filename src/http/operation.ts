import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Caller } from '../audit/caller.js';
import { runInOperation } from '../audit/operation.js';
import { clientAddressOf } from './client-address.js';

/** Who makes a call, as its guard has found. */
export function callerOf(request: FastifyRequest): Caller {
  const { caller, user } = request.rollcall;
  if (user !== undefined) return { type: 'user', id: user.account.username, ...placeOf(request) };
  return { type: caller === undefined ? 'anonymous' : 'app_token', id: '', ...placeOf(request) };
}

/** The answer says which operation the call was, for the audit trail and to undo it. */
export function nameOperation(reply: FastifyReply, operationId: number): void {
  reply.header('x-operation-id', String(operationId));
}

/**
 * Runs `handle` as an operation of this user, who has no token yet: nothing may be changed until it is known that they
 * are who they say.
 */
export async function answerAs<Body>(
  username: string,
  request: FastifyRequest,
  reply: FastifyReply,
  handle: () => Promise<Body>,
): Promise<Body> {
  const operation = request.server.rollcall.audit.begin({ type: 'user', id: username, ...placeOf(request) });
  const body = await runInOperation(operation, handle);
  nameOperation(reply, operation.id);
  return body;
}

function placeOf(request: FastifyRequest): Pick<Caller, 'address' | 'requestId'> {
  const address = clientAddressOf(request.raw, request.server.rollcall.isTrustedProxy);
  return { address: address === '' ? null : address, requestId: request.id };
}
