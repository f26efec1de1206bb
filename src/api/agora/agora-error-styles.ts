import { ApiProperty } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import type { AppError } from '../../errors/app-error.js';
import type { RenderedError } from '../../http/dialect.js';
import { renderAgoraError } from './agora-error-body.js';

/** The error body of the user attribute routes, which are a separate service at the vendor. */
export class AgoraMetadataError {
  @ApiProperty({ description: 'Unix milliseconds' })
  timestamp!: number;

  @ApiProperty({ example: 'unauthorized' })
  desc!: string;

  @ApiProperty({ description: 'Milliseconds' })
  duration!: number;
}

/** The error body of the presence subscription routes for an invalid request. */
export class AgoraPresenceError {
  @ApiProperty({ example: 'too many sub presence' })
  result!: string;
}

const metadataRoute = /\/metadata\/user\//;
const presenceRoute = /\/users\/:username\/presence(\/|$)/;

/** Renders an error in the style of the vendor's service that the route belongs to. */
export function renderInStyle(error: AppError, request: FastifyRequest): RenderedError {
  const rendered = renderAgoraError(error, request);
  const { url: route = '' } = request.routeOptions;
  const { status, body } = rendered;
  const text = error.code === 'batch_too_large' ? batchTooLarge(route, request.method, error) : body.error_description;
  if (metadataRoute.test(route)) {
    const { timestamp, duration } = body;
    return { status, body: { timestamp, desc: status === 401 ? 'unauthorized' : text, duration } };
  }
  return presenceRoute.test(route) && status === 400 ? { status, body: { result: text } } : rendered;
}

/** The text for a list of users that is too long, as these services word it. */
function batchTooLarge(route: string, method: string, { limit }: AppError): string {
  if (metadataRoute.test(route)) return `exceed allowed batch size ${limit}`;
  if (method === 'DELETE') return 'too many unsub presences';
  return route.endsWith('/:expiry') ? 'too many sub presence' : 'too many get presences';
}
