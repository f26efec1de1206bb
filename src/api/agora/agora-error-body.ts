import type { FastifyRequest } from 'fastify';
import type { Clock } from '../../clock/clock.js';
import type { AppError } from '../../errors/app-error.js';
import type { ErrorWithoutRequest } from '../../http/dialect.js';
import { renderings } from './agora.errors.js';
import { renderingOf } from './agora-route-errors.js';

export interface AgoraErrorBody {
  readonly error: string;
  readonly exception: string;
  readonly timestamp: number;
  readonly duration: number;
  readonly error_code?: number;
  readonly error_description: string;
  /** Unix milliseconds: when a ban with an end is over. Beyond the vendor's API. */
  readonly until?: number;
}

export function renderAgoraError(error: AppError, request: FastifyRequest): { status: number; body: AgoraErrorBody } {
  const { status, error: name, exception, code, description } = renderingOf(error, request);
  const { clock } = request.server.rollcall;
  return {
    status,
    body: {
      error: name,
      exception,
      timestamp: clock.now(),
      duration: Math.round(clock.monotonic() - request.rollcall.startedAt),
      ...(code === undefined ? {} : { error_code: code }),
      error_description: typeof description === 'string' ? description : description(error, request),
      ...(error.untilMs === undefined ? {} : { until: error.untilMs }),
    },
  };
}

/** For bytes on the server's port that are not an HTTP request. */
export function renderAgoraErrorWithoutRequest(
  code: ErrorWithoutRequest,
  clock: Clock,
): { status: number; body: AgoraErrorBody } {
  const { status, error, exception, description } = renderings[code];
  const error_description = typeof description === 'string' ? description : '';
  return { status, body: { error, exception, timestamp: clock.now(), duration: 0, error_description } };
}
