import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { STATUS_CODES } from 'node:http';
import type { Logger } from 'pino';
import type { Clock } from '../clock/clock.js';
import { AppError } from '../errors/app-error.js';
import type { ErrorCode } from '../errors/error-codes.js';
import { afterPendingAnswers, type HttpSocket } from './pending-answers.js';
import type { Dialects, ErrorWithoutRequest, RenderedError } from './dialect.js';
import { faultOfTarget } from './request-head.js';
import type { RouteTable } from './route-table.js';

const farewellMs = 1_000;

/**
 * The one place where a failure becomes a response, in the dialect of the path. That includes what Fastify refuses
 * before a route is known, so no client ever sees a framework's own error format.
 */
@Catch()
export class ErrorFilter implements ExceptionFilter {
  private readonly refused = new WeakSet<HttpSocket>();

  constructor(
    private readonly dialects: Dialects,
    private readonly routes: RouteTable,
    private readonly logger: Logger,
  ) {}

  catch(exception: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    this.answer(exception, http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>());
  }

  answer(exception: unknown, request: FastifyRequest, reply: FastifyReply): void {
    const error = hungUp(request) ? this.gone(request) : this.toAppError(exception, request, reply);
    const { status, body } = this.dialects.of(request.url).renderError(error, request);
    // Under overload, logging each of them would add to the load; metrics count them.
    if (status >= 500 && error.code !== 'overloaded') this.log(error, request);
    // RFC 9110, 15.5.16: what would have been accepted.
    if (error.code === 'encoding_unsupported') void reply.header('accept-encoding', 'identity');
    if (error.retryAfterMs !== undefined)
      void reply.header('retry-after', String(Math.max(1, Math.ceil(error.retryAfterMs / 1000))));
    // A handler may have set another type before it failed.
    void reply.status(status).header('content-type', 'application/json; charset=utf-8').send(body);
  }

  /**
   * For data that is not an HTTP request, or never became a complete one: there is only a socket to answer on. Requests
   * before it have been executed, so they are answered first.
   */
  answerOnSocket(exception: ParserError, socket: HttpSocket, clock: Clock): void {
    // Bytes after a request that ends its connection. Some clients send a body without stating its length.
    if (exception.code === 'HPE_CLOSED_CONNECTION') return;
    if (exception.code === 'ECONNRESET') {
      socket.destroy();
      return;
    }
    // Node reports each packet that follows the fault.
    if (this.refused.has(socket)) return;
    this.refused.add(socket);
    afterPendingAnswers(socket, () =>
      refuse(socket, this.dialects.renderErrorWithoutRequest(codeOf(exception), clock)),
    );
  }

  private toAppError(exception: unknown, request: FastifyRequest, reply: FastifyReply): AppError {
    if (exception instanceof AppError) return exception;
    const status = statusOf(exception);
    if (status === 404) return this.missing(request, reply);
    const code = codesOfStatus[status] ?? (status >= 400 && status < 500 ? 'request_malformed' : 'internal');
    return new AppError(code, { cause: exception });
  }

  /** Nobody reads the answer any more; its status is for the metrics. */
  private gone({ id, method, routeOptions }: FastifyRequest): AppError {
    this.logger.debug(
      { requestId: id, method, route: routeOptions.url },
      'a client disconnected in the middle of a request',
    );
    return new AppError('request_malformed');
  }

  private missing(request: FastifyRequest, reply: FastifyReply): AppError {
    const fault = faultOfTarget(request.originalUrl);
    if (fault !== null) return new AppError(fault);
    const [path = ''] = request.url.split('?', 1);
    const allowed = this.routes.methodsFor(path);
    // The method is served, but nothing was found: a missing document under a wildcard.
    if (allowed.length === 0 || allowed.includes(request.method)) return new AppError('route_not_found');
    void reply.header('allow', allowed.join(', '));
    return new AppError('method_not_allowed');
  }

  private log(error: AppError, request: FastifyRequest): void {
    const { method, id } = request;
    const line = { requestId: id, method, route: request.routeOptions.url, code: error.code, err: error.cause };
    // An unavailable database concerns the operator once, not for each request.
    if (error.code === 'internal') this.logger.error(line, 'a request failed with an internal error');
    else this.logger.warn(line, 'a request could not be served');
  }
}

const codesOfStatus: Readonly<Record<number, ErrorCode>> = {
  404: 'route_not_found',
  405: 'method_not_allowed',
  408: 'request_timeout',
  413: 'body_too_large',
  414: 'target_too_long',
  429: 'rate_limited',
  431: 'head_too_large',
  503: 'overloaded',
};

/** Node's parser error for bytes that it cannot read. */
interface ParserError extends NodeJS.ErrnoException {
  /** Bytes; Fastify types them as their JSON. */
  readonly rawPacket?: unknown;
  readonly bytesParsed?: number;
}

/** Determines the failure. For headers that are far too large, only Node's last packet may show which part is. */
function codeOf({ code, rawPacket, bytesParsed }: ParserError): ErrorWithoutRequest {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return 'request_timeout';
  if (code !== 'HPE_HEADER_OVERFLOW') return 'request_malformed';
  const read = Buffer.isBuffer(rawPacket) ? rawPacket.toString('latin1', 0, bytesParsed) : '';
  const lastLine = read.split('\r\n').at(-1) as string;
  return /^[A-Z-]+ \S+$/.test(lastLine) ? 'target_too_long' : 'head_too_large';
}

function refuse(socket: HttpSocket, { status, body }: RenderedError): void {
  // If an answer has started, another one would be read as a part of it.
  if (socket.writable && socket._httpMessage?.headersSent !== true) {
    const text = JSON.stringify(body);
    const head = [
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
      'content-type: application/json; charset=utf-8',
      `content-length: ${Buffer.byteLength(text)}`,
      'connection: close',
    ];
    socket.end(`${head.join('\r\n')}\r\n\r\n${text}`);
  }
  // If the socket were destroyed at once, the answer could be lost; a malicious client never closes its own side.
  setTimeout(() => socket.destroy(), farewellMs).unref();
}

/** Whether the connection ended before the request was complete. Whatever fails then, fails because of that. */
function hungUp({ raw }: FastifyRequest): boolean {
  return raw.destroyed && !raw.complete;
}

/** Shared by Nest's exceptions and Fastify's own errors. */
function statusOf(exception: unknown): number {
  if (exception instanceof HttpException) return exception.getStatus();
  const { statusCode } = (exception ?? {}) as { statusCode?: unknown };
  return typeof statusCode === 'number' ? statusCode : 500;
}
