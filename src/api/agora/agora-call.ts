import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { isIPv6 } from 'node:net';
import type { App } from '../../apps/app.js';
import { readAddress } from '../../http/client-address.js';

/** One call of the Agora dialect: its app, and the members that its answer takes from the call itself. */
export class AgoraCall {
  constructor(
    private readonly request: FastifyRequest,
    readonly app: App,
  ) {}

  /** What stands behind `{org}/{app}` in the request's path, as it was written but for empty segments. */
  get path(): string {
    const [path = ''] = this.request.url.split('?', 1);
    return path.replace(/^\/[^/]*\/[^/]*/, '');
  }

  /** Whether the path was written with a slash at its end: nothing stands where a name could. */
  get endsInSlash(): boolean {
    return /\/(?:#|$)/.test(this.request.originalUrl.split('?', 1)[0] as string);
  }

  /** The absolute address of a path below the app. Also a call under `/app-id/…` is answered with org and app. */
  uri(path: string): string {
    const origin = this.request.server.rollcall.publicUrl ?? originOf(this.request);
    return `${origin}/${this.app.org}/${this.app.name}${path}`;
  }

  get duration(): number {
    return Math.round(this.request.server.rollcall.clock.monotonic() - this.request.rollcall.startedAt);
  }

  get timestamp(): number {
    return this.request.server.rollcall.clock.now();
  }

  /** The query as Usergrid repeats it: every value a list, members in the order of the alphabet. */
  get params(): Record<string, string[]> {
    const query = this.request.query as Record<string, string | string[]>;
    return Object.fromEntries(
      Object.keys(query)
        .sort()
        .map((key) => [key, [query[key] ?? []].flat()]),
    );
  }
}

function originOf({ protocol, host, socket: { localAddress, localPort } }: FastifyRequest): string {
  if (host !== '') return `${protocol}://${host}`;
  // HTTP/1.0 knows no Host. The address that was called is a name as well.
  const address = readAddress(localAddress) ?? '';
  return `${protocol}://${isIPv6(address) ? `[${address}]` : address}:${localPort}`;
}

/** The call, for a handler behind the dialect's guard. */
export const Call = createParamDecorator((_data: unknown, context: ExecutionContext): AgoraCall => {
  const request = context.switchToHttp().getRequest<FastifyRequest>();
  if (request.rollcall.app === undefined) throw new Error('the guard has not found the app of this call');
  return new AgoraCall(request, request.rollcall.app);
});
