import { applyDecorators, Inject, Req, Res, SetMetadata } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiHeader } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Answer, IdempotencyService } from '../idempotency/idempotency.service.js';
import { RawBody } from './raw-body.js';

const keyHeader = 'idempotency-key';
const service = Symbol('idempotency');
export const repeatableKey = 'rollcall:repeatable';

type Handler = (this: object, ...args: unknown[]) => unknown;
type HandlerOfController = (this: { [service]: IdempotencyService }, ...args: unknown[]) => unknown;

/**
 * A route that changes something: a caller who names an `Idempotency-Key` may send the call again and is answered as the
 * first time (docs/idempotency.md). It stands last above the handler, because it takes the handler's place: behind the
 * guards, since a repeated call must be let in like any other, and behind the pipes. Not an interceptor, which would
 * cost every call without a key as well (docs/decisions/0013-no-interceptors.md).
 */
export function Repeatable(): MethodDecorator {
  return (target, name, descriptor) => {
    const handler = descriptor.value as Handler;
    const [requestAt, replyAt] = [handler.length, handler.length + 1];
    const repeatable: HandlerOfController = function (...args) {
      // None where another handler calls this one: then it is that one which is repeatable.
      const request = args[requestAt] as FastifyRequest | undefined;
      const key = request?.headers[keyHeader];
      if (request === undefined || typeof key !== 'string') return handler.apply(this, args);
      return answer(this[service], request, args[replyAt] as FastifyReply, key, async () => handler.apply(this, args));
    };
    Object.defineProperty(repeatable, 'name', { value: handler.name });
    descriptor.value = repeatable as typeof descriptor.value;
    Inject(IdempotencyService)(target, service);
    Req()(target, name, requestAt);
    Res({ passthrough: true })(target, name, replyAt);
    applyDecorators(
      SetMetadata(repeatableKey, true),
      RouteConfig({ changesSomething: true }),
      ApiHeader({
        name: 'Idempotency-Key',
        required: false,
        description: 'The same call with the same key has one effect and one answer, for 24 hours',
        schema: { type: 'string', minLength: 1, maxLength: 255 },
      }),
    )(target, name, descriptor);
  };
}

async function answer(
  idempotency: IdempotencyService,
  request: FastifyRequest,
  reply: FastifyReply,
  key: string,
  handle: () => Promise<unknown>,
): Promise<string> {
  const { app, caller } = request.rollcall;
  if (app === undefined) throw new Error('the guard has not found the app of this call');
  const call = {
    appId: app.id,
    caller: caller ?? '',
    key,
    request: [request.method, request.url, bodyOf(request)],
  };
  const { answer, repeated } = await idempotency.once(call, async (): Promise<Answer> => ({
    body: JSON.stringify(await handle()),
    status: reply.statusCode,
  }));
  reply.status(answer.status).header('content-type', 'application/json; charset=utf-8');
  if (repeated) reply.header('idempotency-replayed', 'true');
  return answer.body;
}

/** The body without the boundary of a form, which a client makes up anew each time. */
function bodyOf({ body }: FastifyRequest): string | Uint8Array {
  if (!(body instanceof RawBody)) return '';
  const boundary = /;\s*boundary="?([^";]+)/i.exec(body.contentType)?.[1];
  return boundary === undefined ? body.bytes : Buffer.from(body.bytes).toString('latin1').replaceAll(boundary, '');
}
