import type { FastifyRequest } from 'fastify';
import { type AppError, shortened } from '../../errors/app-error.js';
import type { ErrorCode } from '../../errors/error-codes.js';
import { segmentsOf } from '../../http/request-target.js';
import {
  type AgoraRendering,
  duplicate,
  exceedsLimit,
  forbidden,
  groupMissing,
  illegalArgument,
  invalidGrant,
  security,
  unavailable,
} from './agora-rendering.js';

const conflictOf = (error: string, description: (error: AppError) => string): AgoraRendering => ({
  ...{ status: 409, error, description },
  exception: `${error.replace(/(?:^|_)([a-z])/g, (_match, letter: string) => letter.toUpperCase())}Exception`,
});
const keyInvalid = 'Idempotency-Key must be 1 to 255 printable characters of ASCII';

export const renderings: Record<ErrorCode, AgoraRendering> = {
  route_not_found: {
    status: 404,
    error: 'service_resource_not_found',
    exception: 'ServiceResourceNotFoundException',
    // Not the text for an unknown user: clients tell the two apart by it.
    description: 'There is no such route',
  },
  method_not_allowed: {
    status: 405,
    error: 'unsupported_service_operation',
    exception: 'UnsupportedServiceOperationException',
    description: 'Service operation not supported.',
  },
  body_too_large: {
    status: 413,
    error: 'request_entity_too_large',
    exception: 'RequestEntityTooLargeException',
    description: 'the file size exceeds the maximum limit.',
  },
  target_too_long: {
    status: 414,
    error: 'request_uri_too_long',
    exception: 'RequestUriTooLongException',
    description: 'path and query exceed 8192 bytes',
  },
  head_too_large: {
    status: 431,
    error: 'request_header_fields_too_large',
    exception: 'RequestHeaderFieldsTooLargeException',
    description: 'the headers exceed 8192 bytes, or 200 lines',
  },
  encoding_unsupported: {
    status: 415,
    error: 'web_application',
    exception: 'WebApplicationException',
    // The vendor's text, followed by what to do about it.
    description: 'Unsupported Media Type. Send the body without a Content-Encoding.',
  },
  media_type_unsupported: {
    status: 415,
    error: 'web_application',
    exception: 'WebApplicationException',
    description: (error) => `Content-Type '${error.detail}' is not supported.`,
  },
  request_timeout: {
    status: 408,
    error: 'request_timeout',
    exception: 'RequestTimeoutException',
    description: 'the request did not arrive in time',
  },
  request_malformed: {
    status: 400,
    error: 'web_application',
    exception: 'WebApplicationException',
    description: 'javax.ws.rs.WebApplicationException',
  },
  json_malformed: {
    status: 400,
    error: 'json_parse',
    exception: 'JsonParseException',
    description: (error) => error.detail ?? 'Unexpected character',
  },
  argument_invalid: { ...illegalArgument, description: (error) => error.detail ?? 'illegal argument' },
  app_not_found: {
    status: 404,
    error: 'organization_application_not_found',
    exception: 'OrganizationApplicationNotFoundException',
    description: (error, request) => describeMissingApp(request, error.detail),
  },
  app_disabled: {
    status: 403,
    error: 'forbidden_op',
    exception: 'ForbiddenOperationException',
    description: 'Service operation not allowed',
  },
  token_missing: {
    status: 401,
    error: 'unauthorized',
    exception: security,
    description: 'Unable to authenticate (OAuth)',
  },
  token_malformed: {
    status: 401,
    error: 'auth_bad_access_token',
    exception: security,
    description: 'Unable to authenticate due to corrupt access token',
  },
  // The web SDK matches this exact text; "…due to expired access token." would become a generic failure.
  token_expired: {
    status: 401,
    error: 'unauthorized',
    exception: security,
    description: 'Unable to authenticate (OAuth)',
  },
  token_not_accepted: {
    status: 401,
    error: 'auth_bad_access_token',
    exception: security,
    description: 'Unable to authenticate.',
  },
  refresh_token_not_accepted: {
    status: 401,
    error: 'auth_bad_access_token',
    exception: security,
    description: 'Unable to authenticate.',
  },
  registration_closed: {
    status: 401,
    error: 'unauthorized',
    exception: security,
    // The trailing comma is the vendor's; the web SDK matches the beginning.
    description: "Open registration doesn't allow, so register user need token,",
  },
  grant_unknown: { ...invalidGrant, description: (error) => error.detail ?? 'unsupported grant_type' },
  client_id_mismatch: { ...invalidGrant, description: 'client_id does not match' },
  client_secret_mismatch: { ...invalidGrant, description: 'client_secret does not match' },
  // A third wording for an unknown user: on a token request with a password.
  login_user_not_found: { ...invalidGrant, status: 404, description: 'user not found' },
  password_mismatch: { ...invalidGrant, description: 'invalid password' },
  user_banned: { ...invalidGrant, description: 'user not activated' },
  user_not_found: {
    status: 404,
    error: 'service_resource_not_found',
    exception: 'UserNotFoundException',
    description: 'Service resource not found',
  },
  username_taken: {
    ...duplicate,
    description: (error) =>
      `Application null Entity user requires that property named username be unique, value of ${error.detail} exists`,
  },
  username_missing: { ...illegalArgument, description: "Entity 'user' requires a property named username." },
  username_illegal: { ...illegalArgument, description: (error) => `username [${error.detail}] is not legal` },
  username_too_long: { ...illegalArgument, description: 'USERNAME_TOO_LONG' },
  nickname_too_long: { ...illegalArgument, description: 'NICKNAME_TOO_LONG' },
  password_missing: { ...illegalArgument, description: 'password or pin must provided' },
  password_too_long: { ...illegalArgument, description: 'password must be at most 64 bytes' },
  new_password_missing: { ...illegalArgument, description: 'newpassword is required' },
  // The vendor's text goes on to include the passwords themselves.
  batch_contradictory: {
    ...duplicate,
    description: (error) => `the same user ${error.detail} has a different password`,
  },
  batch_too_large: {
    ...illegalArgument,
    description: (error) =>
      `Request body array size[${error.count}] had almost reached or been greater than the upper range value[${error.limit}]`,
  },
  message_too_large: {
    status: 400,
    error: 'message_send_error',
    exception: 'MessageSendException',
    code: 14007,
    description: 'message is too large',
  },
  // The web SDK's wording for this on its socket; no route answers with it.
  sender_blocked: { ...forbidden, description: 'the receiver has blocked the sender' },
  user_muted: { ...forbidden, description: 'the user is muted' },
  contact_not_found: {
    ...illegalArgument,
    description: 'updateRemark they are not friends, please add as a friend first.',
  },
  contact_limit_exceeded: { ...exceedsLimit, description: 'user contact number exceed limit' },
  block_limit_exceeded: { ...exceedsLimit, description: 'user block number exceed limit' },
  notes_full: { ...exceedsLimit, description: (error) => `a user can have at most ${error.limit} notes` },
  group_not_found: { ...groupMissing, description: (error) => `grpID ${error.detail} does not exist!` },
  group_user_not_found: { ...groupMissing, description: (error) => `username ${error.detail} doesn't exist!` },
  group_full: { ...exceedsLimit, description: 'the number of members exceeds the limit of the group' },
  group_owner_stays: { ...forbidden, description: 'forbidden operation on group owner!' },
  group_member_missing: {
    ...forbidden,
    description: (error, request) => `user: ${error.detail} doesn't exist in group: ${groupIdIn(request)}`,
  },
  group_admin_missing: {
    ...forbidden,
    description: (error, request) => `user:${error.detail} is not admin of group:${groupIdIn(request)}`,
  },
  group_user_blocked: {
    ...forbidden,
    description: (error, request) =>
      `can not join this group, reason:user: ${error.detail} is blocked in group: ${groupIdIn(request)}`,
  },
  group_list_full: { ...exceedsLimit, description: (error) => `there can be at most ${error.limit} admins` },
  attribute_too_long: {
    ...forbidden,
    description: (error) => `${error.detail} must be at most ${error.limit} characters`,
  },
  attributes_too_large: {
    ...forbidden,
    description: (error) => `size of metadata for this single user exceeds the user defined limit, ${error.limit}Bytes`,
  },
  attributes_full: {
    ...forbidden,
    description: (error) =>
      `total size of user metadata for this app exceeds the user defined limit, ${error.limit}Bytes`,
  },
  presence_resource_illegal: { ...illegalArgument, description: 'resource not exist' },
  presence_status_illegal: {
    ...illegalArgument,
    description: 'set presence failed: the status must be 1 to 32 of A-Z a-z 0-9 _ -',
  },
  presence_ext_too_large: { ...illegalArgument, description: 'ext is too big' },
  subscription_to_self: { ...illegalArgument, description: "you can't sub yourself" },
  subscriptions_full: { ...illegalArgument, description: 'too many sub presence' },
  cursor_invalid: { ...illegalArgument, description: 'cursor is not one that this app gave out' },
  idempotency_key_invalid: { ...illegalArgument, description: keyInvalid },
  idempotency_key_reused: {
    status: 422,
    error: 'idempotency_key_reused',
    exception: 'IdempotencyKeyReusedException',
    description: 'this Idempotency-Key was used for another request',
  },
  idempotency_key_in_use: {
    status: 409,
    error: 'idempotency_key_in_use',
    exception: 'IdempotencyKeyInUseException',
    description: 'the first request with this Idempotency-Key has not been answered yet',
  },
  operation_not_found: {
    status: 404,
    error: 'operation_not_found',
    exception: 'OperationNotFoundException',
    description: 'there is no such operation, or it has changed nothing',
  },
  operation_finished: conflictOf('operation_finished', ({ detail }) => `the operation is finished: ${detail}`),
  operation_unfinished: conflictOf('operation_unfinished', () => 'the operation is not finished: cancel it first'),
  operation_too_old: conflictOf('operation_too_old', () => 'an operation can be undone for 24 hours'),
  operation_not_undoable: conflictOf('operation_not_undoable', ({ detail }) => `this cannot be undone: ${detail}`),
  operation_undone: conflictOf('operation_undone', () => 'the operation has been undone already'),
  operations_full: {
    status: 429,
    error: 'operations_full',
    exception: 'OperationsFullException',
    description: ({ limit }) => `the app has ${limit} unfinished operations: wait for one, or cancel one`,
  },
  confirmation_missing: conflictOf(
    'confirmation_missing',
    () => 'this app demands confirm=HASH, which the same call with dry_run=1 answers',
  ),
  confirmation_mismatch: conflictOf(
    'confirmation_mismatch',
    () => 'confirm is not of the users who would be deleted now: look at them again with dry_run=1',
  ),
  rate_limited: {
    status: 429,
    error: 'reach_limit',
    exception: 'ReachLimitException',
    description: 'This request has reached api limit',
  },
  database_unavailable: { ...unavailable, description: 'The service is busy, please try again later' },
  overloaded: { ...unavailable, description: 'The service is busy, please try again later' },
  internal: {
    status: 500,
    error: 'internal_server_error',
    exception: 'InternalServerErrorException',
    description: 'Internal server error',
  },
};

/** The id of a group that was found; an app-wide list has none. */
export function groupIdIn(request: FastifyRequest): string {
  return (request.params as { id?: string } | undefined)?.id ?? 'super_admin';
}

/** `Could not find application for org/app from URI: org/app/users` */
function describeMissingApp(request: FastifyRequest, named?: string): string {
  const [path = ''] = request.url.split('?', 1);
  const segments = segmentsOf(path);
  const [name, uri] = [named ?? segments.slice(0, 2).join('/'), segments.join('/')];
  return `Could not find application for ${shortened(name)} from URI: ${shortened(uri)}`;
}
