import { maxStatusUsers } from '../../presence/presence.service.js';
import type { ProfileDetails } from '../../profiles/profile-rules.js';
import type { LoginDetails } from '../../profiles/profiles.service.js';
import type { UserOrder } from '../../users/user-order.js';
import { Flag, JsonObject, OrderQuery, PageNumber, Second, Text, Texts, Whole } from './qiscus-parameter.decorators.js';

/** Changing more users at once would hold up others for too long. */
const maxBatchSize = 500;
const maxCountedUsers = 500;
const defaultListed = 20;
const maxListed = 100;

const userId = { required: true, schema: { maxLength: 255, pattern: '^[A-Za-z0-9._@-]+$' } };
const displayName = { maxLength: 255, description: 'The display name' };
const password = { description: 'Up to 64 bytes of UTF-8' };
const extrasOrText = 'A JSON object, or the same as JSON text';

export class UserIdParameters {
  @Text(userId)
  user_id!: string;
}

export class UserIdsParameters {
  @Texts(maxBatchSize)
  user_ids!: string[];
}

export class ServerLoginParameters extends UserIdParameters {
  @Text({ required: true, schema: displayName })
  username!: string;

  @Text({ schema: password })
  password?: string;

  @Text()
  avatar_url?: string;

  @JsonObject(extrasOrText)
  extras?: Record<string, unknown>;
}

export function toLoginDetails(sent: ServerLoginParameters): LoginDetails {
  return { userId: sent.user_id, displayName: sent.username, avatarUrl: sent.avatar_url, extras: sent.extras };
}

export class PageParameters {
  @PageNumber()
  page!: number;

  /** Values over 100 give 20, as with the vendor; so do invalid ones. */
  @Whole(defaultListed, (value) => value >= 1 && value <= maxListed)
  limit!: number;
}

export class UserListParameters extends PageParameters {
  @OrderQuery()
  order_query!: UserOrder;

  @Flag()
  show_all!: boolean;
}

export class UnreadUsersParameters {
  @PageNumber()
  page!: number;

  @Whole(maxListed, (value) => value >= 1 && value <= maxListed)
  limit!: number;

  @Second()
  start_time?: number;

  @Second()
  end_time?: number;
}

export class UnreadCountsParameters {
  @Texts(maxCountedUsers)
  user_ids!: string[];

  @Second()
  start_time?: number;

  @Second()
  end_time?: number;
}

export class RoomUnreadCountsParameters extends UserIdParameters {
  @Texts(maxCountedUsers, {
    required: false,
    schema: { description: 'The `id` of each sender; 0: messages that no user sent' },
  })
  room_ids?: string[];

  @Texts(maxCountedUsers, { required: false, schema: { description: 'The user ids of the senders' } })
  room_channel_ids?: string[];
}

export class IdentityLoginParameters {
  @Text({ required: true })
  identity_token!: string;
}

export class PasswordLoginParameters {
  @Text({ required: true, schema: { maxLength: 255, description: 'The user id' } })
  email!: string;

  @Text({ required: true, schema: password })
  password!: string;

  @Text({ schema: displayName })
  username?: string;

  @Text()
  avatar_url?: string;

  @JsonObject(extrasOrText)
  extras?: Record<string, unknown>;
}

export function toLoginDetailsByEmail(sent: PasswordLoginParameters | OlderLoginParameters): LoginDetails {
  return { userId: sent.email, displayName: sent.username, avatarUrl: sent.avatar_url, extras: sent.extras };
}

export class RefreshParameters extends UserIdParameters {
  @Text({ required: true })
  refresh_token!: string;
}

export class UserEmailParameters {
  @Text({ required: true, schema: { maxLength: 255, description: 'The user id' } })
  user_email!: string;
}

/** As in the older server API. Its `device_token` and `device_platform` are for push, which we do not offer. */
export class OlderLoginParameters {
  @Text({ required: true, schema: { maxLength: 255, description: 'The user id' } })
  email!: string;

  @Text({ required: true, schema: displayName })
  username!: string;

  @Text({ schema: password })
  password?: string;

  @Text()
  avatar_url?: string;

  @JsonObject(extrasOrText)
  extras?: Record<string, unknown>;
}

export class OwnProfileParameters {
  @Text({ schema: displayName })
  name?: string;

  @Text()
  avatar_url?: string;

  @JsonObject(extrasOrText)
  extras?: Record<string, unknown>;
}

export function toProfileDetails(sent: OwnProfileParameters): ProfileDetails {
  return { displayName: sent.name, avatarUrl: sent.avatar_url, extras: sent.extras };
}

export class UserSearchParameters extends PageParameters {
  @Text({ schema: { description: 'A substring of the display name or user id, case-insensitive' } })
  query?: string;

  @OrderQuery()
  order_query!: UserOrder;
}

export class StatusParameters {
  @Texts(maxStatusUsers)
  user_ids!: string[];
}
