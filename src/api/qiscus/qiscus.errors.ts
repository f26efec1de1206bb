import type { FastifyRequest } from 'fastify';
import type { AppError } from '../../errors/app-error.js';
import type { ErrorCode } from '../../errors/error-codes.js';

/**
 * How this dialect renders a failure. No document has the vendor's texts: these are our own (docs/dialects/qiscus.md),
 * except for those that clients look for.
 */
interface QiscusRendering {
  readonly status: number;
  readonly message: string;
  /** The vendor's own code, if known. Only clients receive it: the server API has none. */
  readonly code?: number;
  /** The invalid member: marks a validation failure, which is described in detail. */
  readonly member?: string;
}

const invalid = (member: string, message: string): QiscusRendering => ({ status: 400, message, member });
const unauthorized = { status: 401, message: 'Unauthorized' };
const unavailable = { status: 503, message: 'The service is busy, please try again later' };
const notFound = { status: 404, message: 'not found' };

const renderings = {
  route_not_found: notFound,
  method_not_allowed: { status: 405, message: 'method not allowed' },
  body_too_large: { status: 413, message: 'the request is too large' },
  target_too_long: { status: 414, message: 'the path and its query are too long' },
  head_too_large: { status: 431, message: 'the headers are too large' },
  encoding_unsupported: { status: 415, message: 'the body must be sent without a Content-Encoding' },
  media_type_unsupported: { status: 415, message: 'the Content-Type of the body is not supported' },
  request_timeout: { status: 408, message: 'the request did not arrive in time' },
  request_malformed: invalid('request', 'the request cannot be read'),
  json_malformed: invalid('body', 'the body is not valid JSON'),
  argument_invalid: invalid('request', 'invalid parameters'),
  app_not_found: { status: 400, message: 'application not found' },
  app_disabled: { status: 403, message: 'application is disabled' },
  token_missing: unauthorized,
  token_malformed: { ...unauthorized, code: 401301 },
  // The web SDK refreshes its token on exactly this message.
  token_expired: { status: 403, message: 'Unauthorized. Token is expired', code: 401302 },
  token_not_accepted: { ...unauthorized, code: 401301 },
  refresh_token_not_accepted: { status: 401, message: 'refresh token invalid' },
  registration_closed: { status: 401, message: 'user not found, and the application is closed to registration' },
  grant_unknown: invalid('grant_type', 'grant_type is not known'),
  client_id_mismatch: unauthorized,
  client_secret_mismatch: unauthorized,
  login_user_not_found: { status: 404, message: 'user not found' },
  password_mismatch: { status: 401, message: 'wrong password', code: 401306 },
  user_banned: { status: 401, message: 'user is deactivated', code: 401300 },
  user_not_found: { status: 404, message: 'user not found' },
  username_taken: invalid('user_id', 'user_id is taken'),
  username_missing: invalid('user_id', 'user_id is required'),
  username_illegal: invalid('user_id', 'user_id cannot contain symbols, except .-_@, nor be a uuid'),
  username_too_long: invalid('user_id', 'user_id is too long'),
  nickname_too_long: invalid('username', 'username is too long'),
  password_missing: invalid('password', 'password is required for a user who exists'),
  password_too_long: invalid('password', 'password must be at most 64 bytes'),
  new_password_missing: invalid('password', 'password is required'),
  batch_contradictory: invalid('user_ids', 'user_ids name one user twice'),
  batch_too_large: invalid('user_ids', 'user_ids are too many'),
  attribute_too_long: invalid('attributes', 'an attribute is too long'),
  attributes_too_large: invalid('attributes', 'the attributes of a user are too large'),
  attributes_full: { status: 403, message: 'the attributes of the app are too large' },
  presence_resource_illegal: invalid('resource', 'the name of the device is not legal'),
  presence_status_illegal: invalid('status', 'the status is not legal'),
  presence_ext_too_large: invalid('ext', 'ext is too large'),
  subscription_to_self: invalid('user_ids', 'users cannot subscribe to their own presence'),
  subscriptions_full: invalid('user_ids', 'too many subscriptions'),
  cursor_invalid: invalid('cursor', 'cursor is not one that this app gave out'),
  idempotency_key_invalid: invalid('idempotency_key', 'Idempotency-Key must be 1 to 255 printable characters of ASCII'),
  idempotency_key_reused: { status: 422, message: 'this Idempotency-Key was used for another request' },
  idempotency_key_in_use: {
    status: 409,
    message: 'the first request with this Idempotency-Key has not been answered yet',
  },
  message_too_large: invalid('message', 'message is too large'),
  contact_not_found: { status: 404, message: 'contact not found' },
  contact_limit_exceeded: { status: 403, message: 'the user has reached the limit on contacts' },
  sender_blocked: { status: 403, message: 'the receiver has blocked the sender' },
  notes_full: { status: 403, message: 'the user has reached the limit on notes' },
  block_limit_exceeded: { status: 403, message: 'the user has reached the limit on blocked users' },
  user_muted: { status: 403, message: 'user is muted' },
  group_not_found: { status: 404, message: 'room not found' },
  group_user_not_found: invalid('user_ids', 'user_ids name somebody who does not exist'),
  group_full: invalid('room_id', 'the room is full'),
  group_owner_stays: invalid('user_ids', 'the owner cannot leave the room'),
  group_member_missing: invalid('user_ids', 'user_ids name somebody who is not in the room'),
  group_admin_missing: invalid('user_ids', 'the user is not an admin of the room'),
  group_user_blocked: invalid('user_ids', 'user_ids name somebody who is blocked in the room'),
  group_list_full: invalid('user_ids', 'there are too many admins'),
  operation_not_found: { status: 404, message: 'operation not found' },
  operation_finished: { status: 409, message: 'the operation is finished' },
  operation_unfinished: { status: 409, message: 'the operation is not finished' },
  operation_too_old: { status: 409, message: 'the operation is too old to be undone' },
  operation_not_undoable: { status: 409, message: 'the operation cannot be undone' },
  operation_undone: { status: 409, message: 'the operation has been undone already' },
  operations_full: { status: 429, message: 'there are too many unfinished operations' },
  confirmation_missing: { status: 409, message: 'the deletion must be confirmed' },
  confirmation_mismatch: { status: 409, message: 'the confirmation is of other users' },
  rate_limited: { status: 429, message: 'too many requests' },
  database_unavailable: unavailable,
  overloaded: unavailable,
  internal: { status: 500, message: 'internal server error', code: 500100 },
} satisfies Record<ErrorCode, QiscusRendering>;

/** Errors whose detail is a sentence; that of others is a bare name or number. */
const detailsTold: ReadonlySet<ErrorCode> = new Set(['json_malformed', 'argument_invalid']);
/** Routes where the vendor reports an unknown user as an invalid argument. */
const unknownUserIsInvalid: Readonly<Record<string, string>> = {
  reset_user_token: 'user_id',
  deactivate_users: 'user_ids',
  reactivate_users: 'user_ids',
  get_unread_count: 'user_id',
};
/** Routes that use a different name for a parameter than the rest. */
const otherNames: readonly (readonly [route: RegExp, Readonly<Record<string, string>>])[] = [
  [/^\/api\/v2\/(\w+\/)?login_or_register$/, { user_id: 'email' }],
  [/^\/api\/v2\/rest\/reset_user_token$/, { user_id: 'user_email' }],
  [/\/my_profile$/, { username: 'name' }],
];
/** Calls of client SDKs, and the error they receive for an unknown app. */
const clientPath = /^\/api\/v2(?!\/rest(\/|\?|$))(\/|\?|$)/;
const unknownAppForClient: QiscusRendering = { status: 401, message: 'application not found', code: 401303 };

export interface QiscusErrorBody {
  readonly error: {
    readonly code?: number;
    readonly detailed_messages?: readonly string[];
    readonly errors?: Readonly<Record<string, readonly string[]>>;
    readonly message: string;
    /** Unix milliseconds: when a ban with an end is over. Beyond the vendor's API. */
    readonly until?: number;
  };
  readonly status: number;
}

export function renderQiscusError(error: AppError, request: FastifyRequest): { status: number; body: QiscusErrorBody } {
  const { status, code, message, member } = renderingOf(error, request);
  const numbered = code === undefined || !clientPath.test(request.url) ? {} : { code };
  const until = error.untilMs === undefined ? {} : { until: error.untilMs };
  if (member === undefined) return { status, body: { error: { ...numbered, message, ...until }, status } };
  const problems = error.problems ?? { [member]: detailsTold.has(error.code) ? (error.detail ?? message) : message };
  const texts = Object.values(problems);
  return {
    status,
    body: {
      error: {
        ...numbered,
        detailed_messages: texts,
        errors: Object.fromEntries(Object.entries(problems).map(([name, text]) => [name, [text]])),
        message: texts.join(', '),
      },
      status,
    },
  };
}

function renderingOf(error: AppError, request: FastifyRequest): QiscusRendering {
  const route = request.routeOptions.url ?? '';
  if (error.code === 'app_not_found' && clientPath.test(request.url)) return unknownAppForClient;
  const member = unknownUserIsInvalid[route.split('/').at(-1) ?? ''];
  if (error.code === 'user_not_found' && member !== undefined) return named(route, invalid(member, 'user not found'));
  return named(route, renderings[error.code]);
}

/** Uses the route's name for the member, also at the start of the message. */
function named(route: string, rendering: QiscusRendering): QiscusRendering {
  const { member = '', message } = rendering;
  const name = otherNames.find(([pattern]) => pattern.test(route))?.[1][member];
  return name === undefined
    ? rendering
    : { ...rendering, member: name, message: message.replace(`${member} `, `${name} `) };
}
