import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { App } from '../../apps/app.js';
import { answerOnce } from '../../http/idempotency.js';
import { originOf } from './request-origin.js';

/** What a route answers: `@AgoraRoute` describes it. */
export interface AgoraAnswer {
  readonly members: readonly { readonly name: string; readonly optional: boolean }[];
  readonly action: string;
  /** null: the path as it was called. */
  readonly path: string | null;
  readonly uriAsCalled: boolean;
}

export const answerMetadata = 'rollcall:agora-answer';

/** One call of the Agora dialect: its app, and what its answer takes from the call itself. */
export class AgoraCall {
  constructor(
    private readonly request: FastifyRequest,
    private readonly reply: FastifyReply,
    private readonly description: AgoraAnswer,
    readonly app: App,
  ) {}

  /**
   * The answer of the route: its members in their order, as the handler says them or else as the call knows them.
   * @param own what the handler says; null or undefined leaves an optional member out
   */
  answer(own: Readonly<Record<string, unknown>> = {}): object {
    const body: Record<string, unknown> = {};
    for (const { name, optional } of this.description.members) {
      const value = name in own ? own[name] : this.known(name);
      if (value !== undefined && value !== null) body[name] = value;
      else if (!optional) throw new Error(`${this.request.routeOptions.url} answers without ${name}`);
    }
    return body;
  }

  /** Runs a handler that changes something: once for its Idempotency-Key, where the caller has sent one. */
  once<Body>(handle: () => Promise<Body>): Promise<Body | string> {
    return answerOnce(this.request, this.reply, handle);
  }

  /** Whether a user calls, about their own things, and not the app's server. */
  get isByUser(): boolean {
    return this.request.rollcall.user !== undefined;
  }

  private known(member: string): unknown {
    const { action, path, uriAsCalled } = this.description;
    switch (member) {
      case 'action':
        return action;
      case 'application':
        return this.app.id;
      case 'applicationName':
        return this.app.name;
      case 'duration':
        return this.duration;
      case 'entities':
        return [];
      case 'organization':
        return this.app.org;
      case 'params':
        return this.params;
      case 'path':
        return path ?? this.path;
      case 'properties':
        return {};
      case 'timestamp':
        return this.timestamp;
      case 'uri':
        return this.uri(uriAsCalled || path === null ? this.path : path);
      default:
        return undefined;
    }
  }

  /** What stands behind `{org}/{app}` in the request's path, as it was written but for empty segments. */
  private get path(): string {
    const [path = ''] = this.request.url.split('?', 1);
    return path.replace(/^\/[^/]*\/[^/]*/, '');
  }

  /** Whether the path was written with a slash at its end: nothing stands where a name could. */
  get endsInSlash(): boolean {
    return /\/(?:#|$)/.test(this.request.originalUrl.split('?', 1)[0] as string);
  }

  /** The absolute address of a path below the app. Also a call under `/app-id/…` is answered with org and app. */
  uri(path: string): string {
    return `${originOf(this.request)}/${this.app.org}/${this.app.name}${path}`;
  }

  private get duration(): number {
    return Math.round(this.request.server.rollcall.clock.monotonic() - this.request.rollcall.startedAt);
  }

  private get timestamp(): number {
    return this.request.server.rollcall.clock.now();
  }

  /** The query as Usergrid repeats it: every value a list, members in the order of the alphabet. */
  private get params(): Record<string, string[]> {
    const query = this.request.query as Record<string, string | string[]>;
    return Object.fromEntries(
      Object.keys(query)
        .sort()
        .map((key) => [key, [query[key] ?? []].flat()]),
    );
  }
}

/** The call, for a handler behind the dialect's guard. */
export const Call = createParamDecorator((_data: unknown, context: ExecutionContext): AgoraCall => {
  const http = context.switchToHttp();
  const request = http.getRequest<FastifyRequest>();
  const { app } = request.rollcall;
  if (app === undefined) throw new Error('no guard has found the app of this call');
  const description = Reflect.getMetadata(answerMetadata, context.getHandler()) as AgoraAnswer;
  return new AgoraCall(request, http.getResponse<FastifyReply>(), description, app);
});
