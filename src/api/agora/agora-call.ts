import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { App } from '../../apps/app.js';
import { answerOnce } from '../../http/idempotency.js';
import { answerAs } from '../../http/operation.js';
import { originOf } from './request-origin.js';

/** The shape of a route's answer, as described by `@AgoraRoute`. */
export interface AgoraAnswer {
  readonly members: readonly { readonly name: string; readonly optional: boolean }[];
  readonly action: string;
  /** null: the requested path. */
  readonly path: string | null;
  readonly uriAsCalled: boolean;
}

export const answerMetadata = 'rollcall:agora-answer';

/** A call in the Agora dialect: its app, and what the answer takes from the call itself. */
export class AgoraCall {
  constructor(
    private readonly request: FastifyRequest,
    private readonly reply: FastifyReply,
    private readonly description: AgoraAnswer,
    readonly app: App,
  ) {}

  /**
   * The route's answer: its members in order, each from the handler or else from the call.
   * @param own the handler's members; null or undefined omits an optional one
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

  /** Runs a handler that changes state: once per Idempotency-Key, if the caller sent one. */
  once<Body>(handle: () => Promise<Body>): Promise<Body | string> {
    return answerOnce(this.request, this.reply, handle);
  }

  /** Runs a part of a handler that may register a user on behalf of the app's server, outside of `once`. */
  asServer<Result>(handle: () => Promise<Result>): Promise<Result> {
    return answerAs({ type: 'app_token', id: '' }, this.request, this.reply, handle);
  }

  /** Whether the caller is a user acting on their own data, not the app's server. */
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

  /** The part of the request's path after `{org}/{app}`, as written except for empty segments. */
  private get path(): string {
    const [path = ''] = this.request.url.split('?', 1);
    return path.replace(/^\/[^/]*\/[^/]*/, '');
  }

  /** Whether the path was written with a trailing slash: the place for a name is empty. */
  get endsInSlash(): boolean {
    return /\/(?:#|$)/.test(this.request.originalUrl.split('?', 1)[0] as string);
  }

  /** The absolute URL of a path below the app. It has org and app even for a call under `/app-id/…`. */
  uri(path: string): string {
    return `${originOf(this.request)}/${this.app.org}/${this.app.name}${path}`;
  }

  private get duration(): number {
    return Math.round(this.request.server.rollcall.clock.monotonic() - this.request.rollcall.startedAt);
  }

  private get timestamp(): number {
    return this.request.server.rollcall.clock.now();
  }

  /** The query as Usergrid echoes it: every value a list, members in alphabetical order. */
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
