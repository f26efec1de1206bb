import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { App } from '../../apps/app.js';
import { slicesOf } from '../../database/costly-reads.js';
import { answerOnce } from '../../http/idempotency.js';
import { answerAs } from '../../http/operation.js';
import type { User } from '../../users/user.js';
import { foldUsername } from '../../users/username.js';

export interface QiscusAnswer<Results> {
  readonly results: Results;
  readonly status: 200;
}

/** Items of a long list written per turn of the event loop. */
const writtenAtOnce = 50;

/** One call of the Qiscus dialect: its app, and the shape of its answers. */
export class QiscusCall {
  constructor(
    private readonly request: FastifyRequest,
    private readonly reply: FastifyReply,
    readonly app: App,
  ) {}

  /** The calling user, for handlers behind the user token guard. */
  get user(): User {
    return this.shown.account;
  }

  /** The token that this user presented. */
  get userToken(): string {
    return this.shown.token;
  }

  private get shown() {
    const { user } = this.request.rollcall;
    if (user === undefined) throw new Error('no guard has found the user of this call');
    return user;
  }

  /** Clients check the status in the body as well as that of the response. */
  answer<Results>(results: Results): QiscusAnswer<Results> {
    return { results, status: 200 };
  }

  /**
   * An answer of some members followed by a list of any length, as text: serialized in one go, a long list would hold
   * up every other call.
   */
  async longAnswer<Item>(
    results: Readonly<Record<string, unknown>>,
    list: string,
    items: readonly Item[],
    write: (item: Item) => unknown,
  ): Promise<string> {
    const parts: string[] = [];
    for await (const some of slicesOf(items, writtenAtOnce)) parts.push(JSON.stringify(some.map(write)).slice(1, -1));
    this.reply.header('content-type', 'application/json; charset=utf-8');
    const others = JSON.stringify(results).slice(1, -1);
    return `{"results":{${others},${JSON.stringify(list)}:[${parts.join(',')}]},"status":200}`;
  }

  /** Runs a handler that changes something, once per Idempotency-Key if the caller has sent one. */
  once<Body>(handle: () => Promise<Body>): Promise<Body | string> {
    return answerOnce(this.request, this.reply, handle);
  }

  /** Runs a log in, which may register or change the user who says to be this one. */
  asUser<Result>(username: string, handle: () => Promise<Result>): Promise<Result> {
    return answerAs({ type: 'user', id: foldUsername(username) }, this.request, this.reply, handle);
  }
}

/** The call, for handlers behind one of the dialect's guards. */
export const Call = createParamDecorator((_data: unknown, context: ExecutionContext): QiscusCall => {
  const http = context.switchToHttp();
  const request = http.getRequest<FastifyRequest>();
  const { app } = request.rollcall;
  if (app === undefined) throw new Error('no guard has found the app of this call');
  return new QiscusCall(request, http.getResponse<FastifyReply>(), app);
});
