import type { FastifyRequest } from 'fastify';
import type { AppError } from '../../errors/app-error.js';

/** How an error looks on this dialect's wire; docs/dialects/agora.md gives the source of each text. */
export interface AgoraRendering {
  readonly status: number;
  readonly error: string;
  readonly exception: string;
  /** The vendor's error number, if it has one. */
  readonly code?: number;
  readonly description: string | ((error: AppError, request: FastifyRequest) => string);
}

type Kind = Omit<AgoraRendering, 'description'>;

export const security = 'EasemobSecurityException';
export const illegalArgument: Kind = {
  status: 400,
  error: 'illegal_argument',
  exception: 'java.lang.IllegalArgumentException',
};
export const invalidGrant: Kind = { status: 400, error: 'invalid_grant', exception: 'InvalidGrantException' };
export const duplicate: Kind = {
  status: 400,
  error: 'duplicate_unique_property_exists',
  exception: 'DuplicateUniquePropertyExistsException',
};
export const forbidden: Kind = { status: 403, error: 'forbidden_op', exception: 'ForbiddenOpException' };
export const exceedsLimit: Kind = { status: 403, error: 'exceed_limit', exception: 'ExceedLimitException' };
export const groupMissing: Kind = {
  status: 404,
  error: 'resource_not_found',
  exception: 'ResourceNotFoundException',
};
export const unavailable: Kind = {
  status: 503,
  error: 'service_unavailable',
  exception: 'ServiceUnavailableException',
};
