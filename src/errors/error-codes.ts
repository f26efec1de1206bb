/**
 * Every way in which the product can fail. Services throw `AppError` with one of these codes; each dialect defines how
 * a code looks on its wire (`api/agora/agora.errors.ts`), and `docs/errors.md` lists them for operators.
 */
export const errorCodes = [
  /** No such route, or a reserved name in place of an organisation. */
  'route_not_found',
  /** The path exists, but not with this method. */
  'method_not_allowed',
  /** The body is larger than the route accepts. */
  'body_too_large',
  /** Path and query are longer than those of any valid request. */
  'target_too_long',
  /** There are more headers, or more bytes of them, than clients and proxies send. */
  'head_too_large',
  /** The body is compressed or otherwise encoded. */
  'encoding_unsupported',
  /** The route does not accept bodies of this type. The detail is the type. */
  'media_type_unsupported',
  /** The request did not arrive in full in time. */
  'request_timeout',
  /** The request could not be read at all: a broken URL, header or transfer. */
  'request_malformed',
  /** The body is not the JSON that the route expects. The detail says where parsing fails. */
  'json_malformed',
  /** A member of the body or query is missing or out of range. The detail says which, and what is allowed. */
  'argument_invalid',

  /** No app with this organisation and name, App ID or alias. */
  'app_not_found',
  /** The app is switched off. */
  'app_disabled',

  /** The route needs a token and the request carries none. */
  'token_missing',
  /** The token cannot be read, or its signature is not ours. */
  'token_malformed',
  /** The token was valid but has expired. */
  'token_expired',
  /** The token is valid, but for another app or another kind of caller, or it was revoked. */
  'token_not_accepted',
  /** The refresh token is not this user's, or was revoked together with the user token. */
  'refresh_token_not_accepted',
  /** Registration without a token on an app that does not allow it. */
  'registration_closed',
  /** The grant type of a token request is unknown. */
  'grant_unknown',
  /** The client id of a token request is not the app's. */
  'client_id_mismatch',
  /** The client secret of a token request is not the app's. */
  'client_secret_mismatch',
  /** A login by password with a name that no user of this app has. */
  'login_user_not_found',
  /** The password is wrong. */
  'password_mismatch',
  /** The user is banned and gets no token. */
  'user_banned',

  /** No user with this name in this app. */
  'user_not_found',
  /** The name already belongs to a user of this app. The detail is the name. */
  'username_taken',
  /** The member that names the user is missing. */
  'username_missing',
  /** The name has a character that is not allowed. The detail is the name. */
  'username_illegal',
  /** The name is longer than 64 characters. */
  'username_too_long',
  /** The nickname is longer than 100 characters. */
  'nickname_too_long',
  /** A registration without a password. */
  'password_missing',
  /** The password is longer than 64 bytes. */
  'password_too_long',
  /** A password change without the new password. */
  'new_password_missing',
  /** A request names the same user twice with different passwords. The detail is the name. */
  'batch_contradictory',
  /** More users in one request than the route accepts. The detail is `{count, limit}`. */
  'batch_too_large',
  /** Body and ext of a message are larger than 16 KiB together. */
  'message_too_large',
  /** The receiver of a message has blocked its sender, or a user to be added has blocked the one adding them. */
  'sender_blocked',
  /** The two users are not contacts of each other. */
  'contact_not_found',
  /** The user, or the one to be added, has reached the contact limit. */
  'contact_limit_exceeded',
  /** The user has reached the limit of blocked users. */
  'block_limit_exceeded',
  /** The user has as many notes as are kept. */
  'notes_full',
  /** The sender is muted. */
  'user_muted',
  /** No chat group or chat room with this id in this app. The detail is the id. */
  'group_not_found',
  /** A user who is to own or join a group does not exist. The detail is the name. */
  'group_user_not_found',
  /** The group is full. */
  'group_full',
  /** The owner of a group cannot be removed from it. */
  'group_owner_stays',
  /** A value is too long for its attribute. The detail is the name of the attribute, the limit in characters. */
  'attribute_too_long',
  /** The attributes of a user would exceed their size limit. The limit is in bytes. */
  'attributes_too_large',
  /** The attributes of all users of the app would exceed their size limit. The limit is in bytes. */
  'attributes_full',
  /** A presence is published with an invalid device name. The detail is the name. */
  'presence_resource_illegal',
  /** A presence is published with an invalid status. The detail is the status. */
  'presence_status_illegal',
  /** The text published with a status is too large. The limit is in bytes. */
  'presence_ext_too_large',
  /** A user subscribes to their own presence. */
  'subscription_to_self',
  /** A user would watch, or be watched by, more users than allowed. */
  'subscriptions_full',
  /** Users who must be members of the group for this are not. The detail names them. */
  'group_member_missing',
  /** The user is not an admin of the group, or not a super admin. The detail is the name. */
  'group_admin_missing',
  /** The user is blocked in the group and cannot join it. The detail is the name. */
  'group_user_blocked',
  /** The group or the app has the maximum number of admins. The limit is that number. */
  'group_list_full',
  /** The cursor was not made by this app's lists. */
  'cursor_invalid',
  /** An Idempotency-Key that is empty, over 255 characters, or not printable ASCII. */
  'idempotency_key_invalid',
  /** An Idempotency-Key that was used for another request. */
  'idempotency_key_reused',
  /** The first call with this Idempotency-Key has not been answered yet. */
  'idempotency_key_in_use',

  /** No operation with this id in this app, or one that has changed nothing. */
  'operation_not_found',
  /** The operation is finished, so it cannot be cancelled. The detail is its state. */
  'operation_finished',
  /** The operation is not finished, so it cannot be undone. */
  'operation_unfinished',
  /** The operation ended too long ago to be undone. */
  'operation_too_old',
  /** Nothing that the operation has changed can be undone. The detail is what it was. */
  'operation_not_undoable',
  /** The operation has been undone already. */
  'operation_undone',
  /** The app has as many unfinished operations as it may have. */
  'operations_full',
  /** The app demands that a deletion of many users is confirmed. */
  'confirmation_missing',
  /** The confirmation is of other users than those who would be deleted now. */
  'confirmation_mismatch',

  /** More calls than the app may make per second, or more guesses than anyone may make. */
  'rate_limited',
  /** The database does not answer, or not in time. Retry later. */
  'database_unavailable',
  /** More work is queued than can be done in reasonable time. Retry later. */
  'overloaded',
  /** A fault in Rollcall. The log has the cause under the request's id. */
  'internal',
] as const;

export type ErrorCode = (typeof errorCodes)[number];
