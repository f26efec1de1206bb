import {
  applyDecorators,
  type CallHandler,
  type ExecutionContext,
  Injectable,
  type NestInterceptor,
  UseInterceptors,
} from '@nestjs/common';
import { ApiHeader } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { from, lastValueFrom, type Observable } from 'rxjs';
import { type Answer, IdempotencyService } from '../idempotency/idempotency.service.js';

const keyHeader = 'idempotency-key';

/** A route that changes something: a caller who names a key may send the call again and is answered as the first time. */
export function Repeatable(): MethodDecorator {
  return applyDecorators(
    UseInterceptors(IdempotencyInterceptor),
    ApiHeader({
      name: 'Idempotency-Key',
      required: false,
      description: 'The same call with the same key has one effect and one answer, for 24 hours',
      schema: { type: 'string', minLength: 1, maxLength: 255 },
    }),
  );
}

/** Runs behind the guards: a repeated call must be let in like any other, and counts against the rate limit. */
@Injectable()
export class IdempotencyInterceptor implements NestInterceptor {
  constructor(private readonly idempotency: IdempotencyService) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const http = context.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const key = request.headers[keyHeader];
    if (typeof key !== 'string') return next.handle();
    return from(this.answer(request, http.getResponse<FastifyReply>(), key, next));
  }

  private async answer(request: FastifyRequest, reply: FastifyReply, key: string, next: CallHandler): Promise<string> {
    const { app, caller } = request.rollcall;
    if (app === undefined) throw new Error('the guard has not found the app of this call');
    const call = {
      appId: app.id,
      caller: caller ?? '',
      key,
      request: [request.method, request.url, bodyOf(request)],
    };
    const { answer, repeated } = await this.idempotency.once(call, async (): Promise<Answer> => {
      const body = JSON.stringify(await lastValueFrom(next.handle()));
      return { status: reply.statusCode, body };
    });
    reply.status(answer.status).header('content-type', 'application/json; charset=utf-8');
    if (repeated) reply.header('idempotency-replayed', 'true');
    return answer.body;
  }
}

/** The body without the boundary of a form, which a client makes up anew each time. */
function bodyOf(request: FastifyRequest): string | Uint8Array {
  const body = (request.body as Uint8Array | undefined) ?? '';
  const boundary = /;\s*boundary="?([^";]+)/i.exec(request.rollcall.contentType ?? '')?.[1];
  return boundary === undefined
    ? body
    : Buffer.from(body as string)
        .toString('latin1')
        .replaceAll(boundary, '');
}
