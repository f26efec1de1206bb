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
 * Runs `handle`, which may register or change a user although its route takes no `Idempotency-Key`: a log in. The
 * answer names the operation only if something was changed.
 * @param who as they say; nothing may be changed before they have proven it
 */
export async function answerAs<Body>(
  who: Pick<Caller, 'type' | 'id'>,
  request: FastifyRequest,
  reply: FastifyReply,
  handle: () => Promise<Body>,
): Promise<Body> {
  const operation = request.server.rollcall.audit.begin({ ...who, ...placeOf(request) });
  const body = await runInOperation(operation, handle);
  if (operation.hasEntries) nameOperation(reply, operation.id);
  return body;
}

function placeOf(request: FastifyRequest): Pick<Caller, 'address' | 'requestId'> {
  const address = clientAddressOf(request.raw, request.server.rollcall.isTrustedProxy);
  return { address: address === '' ? null : address, requestId: request.id };
}
