import type { FastifyRequest } from 'fastify';
import type { AppError } from '../../errors/app-error.js';
import type { ErrorCode } from '../../errors/error-codes.js';
import { groupIdIn, renderings } from './agora.errors.js';
import { type AgoraRendering, exceedsLimit, forbidden, groupMissing, illegalArgument } from './agora-rendering.js';

/** An error that some routes word differently. */
interface OwnWording {
  readonly code: ErrorCode;
  /** Matches the route's path as registered with the router. */
  readonly on: RegExp;
  /** Any method if absent. */
  readonly method?: string;
  readonly rendering: AgoraRendering;
}

/** Usergrid's other wording for an unknown user. */
const entityNotFound: AgoraRendering = {
  status: 404,
  error: 'entity_not_found',
  exception: 'EntityNotFoundException',
  description: 'User null not found',
};
const notMembers: AgoraRendering['description'] = (error) => `users [${error.detail}] are not members of this group!`;

/** The first match wins. */
const ownWordings: readonly OwnWording[] = [
  {
    code: 'token_missing',
    on: /\/chat(groups|rooms)/,
    rendering: {
      status: 401,
      error: 'group_authorization',
      exception: 'GroupAuthorizationException',
      description: 'token is blank!',
    },
  },
  {
    // An unknown group is worded differently for reads than for writes.
    code: 'group_not_found',
    on: /./,
    method: 'GET',
    rendering: {
      status: 404,
      error: 'service_resource_not_found',
      exception: 'ServiceResourceNotFoundException',
      description: (error) => `do not find this group:${error.detail}`,
    },
  },
  // The vendor's own suite has three wordings, with three statuses, for a user who is not a member.
  {
    code: 'group_member_missing',
    on: /\/mute$/,
    rendering: {
      status: 400,
      error: 'invalid_parameter',
      exception: 'InvalidParameterException',
      description: notMembers,
    },
  },
  {
    code: 'group_member_missing',
    on: /\/admin$/,
    rendering: {
      ...groupMissing,
      description: (error, request) => `user: ${error.detail} doesn't exist in group: ${groupIdIn(request)}`,
    },
  },
  { code: 'group_member_missing', on: /\/blocks\//, rendering: { ...forbidden, description: notMembers } },
  {
    code: 'batch_too_large',
    on: /\/batch\/status$/,
    rendering: {
      ...illegalArgument,
      description: (error) => `request body exceeds maximum limit, maximum limit is ${error.limit}`,
    },
  },
  {
    code: 'batch_too_large',
    on: /\/push\/nickname$/,
    rendering: { ...illegalArgument, description: 'put user push nicknames exceeds the limit' },
  },
  {
    code: 'contact_limit_exceeded',
    on: /\/contacts\/import$/,
    rendering: { ...exceedsLimit, description: "Inviter's contact max count." },
  },
  {
    code: 'user_not_found',
    on: /\/:app(Id)?\/mutes(\/|$)/,
    rendering: {
      status: 400,
      error: 'required_property_not_found',
      exception: 'RequiredPropertyNotFoundException',
      description: 'Entity user requires a property named username',
    },
  },
  { code: 'user_not_found', on: /\/(password|token)$/, rendering: entityNotFound },
];

/** How this error is rendered in the answer to this request. */
export function renderingOf({ code }: AppError, request: FastifyRequest): AgoraRendering {
  const route = request.routeOptions.url ?? '';
  const own = ownWordings.find(
    (one) => one.code === code && one.on.test(route) && (one.method ?? request.method) === request.method,
  );
  return own?.rendering ?? renderings[code];
}
