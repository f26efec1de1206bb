import { applyDecorators } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiHeader } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { runInOperation } from '../audit/operation.js';
import type { Answer } from '../idempotency/idempotency.service.js';
import { callerOf, nameOperation } from './operation.js';
import { RawBody } from './raw-body.js';

const keyHeader = 'idempotency-key';

/**
 * Marks a route that changes something and takes an `Idempotency-Key` (docs/idempotency.md). Its handler does all of
 * its work inside `answerOnce`; a test calls every such route twice with one key.
 */
export function Idempotent(): MethodDecorator {
  return applyDecorators(
    RouteConfig({ changesSomething: true, idempotent: true }),
    ApiHeader({
      name: 'Idempotency-Key',
      required: false,
      description: 'The same call with the same key has one effect and one answer, for 24 hours',
      schema: { type: 'string', minLength: 1, maxLength: 255 },
    }),
  );
}

/**
 * Runs `handle` as one operation (`X-Operation-Id`): as it is, or, if the caller sent an `Idempotency-Key`, once for that
 * key: its writes and its answer are then one transaction, and a repetition of the call gets the same answer as text.
 * Called by a handler, after guards and pipes, as a repeated call must be authorised like any other.
 * @throws AppError idempotency_key_invalid, idempotency_key_reused, idempotency_key_in_use, and whatever `handle`
 *   throws
 */
export async function answerOnce<Body>(
  request: FastifyRequest,
  reply: FastifyReply,
  handle: () => Promise<Body>,
): Promise<Body | string> {
  const operation = request.server.rollcall.audit.begin(callerOf(request));
  // Drawn first: once something is changed, the answer may not fail for want of an id.
  const { id: operationId } = operation;
  const key = request.headers[keyHeader];
  if (typeof key !== 'string') {
    const body = await runInOperation(operation, handle);
    nameOperation(reply, operationId);
    return body;
  }
  const { app, caller } = request.rollcall;
  if (app === undefined) throw new Error('no guard has found the app of this call');
  const call = { appId: app.id, caller: caller ?? '', key, request: [request.method, request.url, bodyOf(request)] };
  const { answer, repeated } = await runInOperation(operation, () =>
    request.server.rollcall.idempotency.once(call, async (): Promise<Answer> => ({
      body: JSON.stringify(await handle()),
      status: reply.statusCode,
      operationId,
    })),
  );
  if (answer.operationId !== null) nameOperation(reply, answer.operationId);
  reply.status(answer.status).header('content-type', 'application/json; charset=utf-8');
  if (repeated) reply.header('idempotency-replayed', 'true');
  return answer.body;
}

/** The body without a form's boundary, which clients generate anew each time. */
function bodyOf({ body }: FastifyRequest): string | Uint8Array {
  if (!(body instanceof RawBody)) return '';
  const boundary = /;\s*boundary="?([^";]+)/i.exec(body.contentType)?.[1];
  return boundary === undefined ? body.bytes : Buffer.from(body.bytes).toString('latin1').replaceAll(boundary, '');
}
