import { ApiProperty } from '@nestjs/swagger';
import type { App } from '../../apps/app.js';
import { displayNameOf, type ProfiledUser } from '../../profiles/profile.js';
import type { UserTokens } from '../../profiles/profiles.service.js';
import { toQiscusTime } from './qiscus-time.js';

/** A user as login and profile show it; members in the order of the alphabet, as everywhere in this dialect. */
export class QiscusUser {
  @ApiProperty({ description: 'False: deactivated' })
  active!: boolean;

  @ApiProperty({ description: 'Empty if none was given', example: 'https://image.url/image.jpeg' })
  avatar_url!: string;

  @ApiProperty({ type: 'object', additionalProperties: true })
  extras!: Readonly<Record<string, unknown>>;

  @ApiProperty({ example: 'guest99@qiscus.com' })
  user_id!: string;

  @ApiProperty({ example: 'QISCUS demo user' })
  username!: string;
}

/** A user in the list of all; `email` is the user id, `name` and `username` are both the display name. */
export class QiscusListedUser {
  @ApiProperty()
  active!: boolean;

  @ApiProperty()
  avatar_url!: string;

  @ApiProperty({ description: 'RFC 3339 with six digits, UTC', example: '2017-10-12T04:07:10.926000Z' })
  created_at!: string;

  @ApiProperty({ example: 'guest2@qiscus.com' })
  email!: string;

  @ApiProperty({ type: 'object', additionalProperties: true })
  extras!: Readonly<Record<string, unknown>>;

  @ApiProperty({ description: 'Below 2^53', example: 188202 })
  id!: number;

  @ApiProperty({ example: 'guest2' })
  name!: string;

  @ApiProperty({ example: '2017-10-12T04:07:10.926000Z' })
  updated_at!: string;

  @ApiProperty({ example: 'guest2' })
  username!: string;
}

/** A user who has just logged in, as the client SDKs read it. */
export class QiscusSdkUser {
  @ApiProperty()
  active!: boolean;

  @ApiProperty({
    type: 'object',
    properties: {
      code: { type: 'string' },
      id: { type: 'integer' },
      id_str: { type: 'string' },
      name: { type: 'string' },
    },
    required: ['code', 'id', 'id_str', 'name'],
  })
  app!: { code: string; id: number; id_str: string; name: string };

  @ApiProperty({
    type: 'object',
    properties: { avatar: { type: 'object', properties: { url: { type: 'string' } }, required: ['url'] } },
    required: ['avatar'],
  })
  avatar!: { avatar: { url: string } };

  @ApiProperty()
  avatar_url!: string;

  @ApiProperty({ example: 'guest2@qiscus.com' })
  email!: string;

  @ApiProperty({ type: 'object', additionalProperties: true })
  extras!: Readonly<Record<string, unknown>>;

  @ApiProperty({ description: 'Below 2^53', example: 188202 })
  id!: number;

  @ApiProperty({ example: '188202' })
  id_str!: string;

  @ApiProperty({ enum: [0] })
  last_comment_id!: 0;

  @ApiProperty({ enum: ['0'] })
  last_comment_id_str!: '0';

  @ApiProperty({ enum: [0] })
  last_sync_event_id!: 0;

  @ApiProperty({ enum: [false] })
  pn_android_configured!: false;

  @ApiProperty({ enum: [false] })
  pn_ios_configured!: false;

  @ApiProperty()
  refresh_token!: string;

  @ApiProperty({ enum: [''] })
  rtKey!: '';

  @ApiProperty()
  token!: string;

  @ApiProperty({ enum: [''], description: 'Empty: a token has no end, and clients need not renew it' })
  token_expires_at!: '';

  @ApiProperty({ description: 'The display name' })
  username!: string;
}

export function toQiscusUser(profiled: ProfiledUser): QiscusUser {
  return {
    active: profiled.user.activated,
    avatar_url: profiled.profile.avatarUrl ?? '',
    extras: profiled.profile.extras,
    user_id: profiled.profile.userId,
    username: displayNameOf(profiled),
  };
}

export function toQiscusListedUser(profiled: ProfiledUser): QiscusListedUser {
  const { user, profile } = profiled;
  const name = displayNameOf(profiled);
  return {
    active: user.activated,
    avatar_url: profile.avatarUrl ?? '',
    created_at: toQiscusTime(user.createdAt),
    email: profile.userId,
    extras: profile.extras,
    id: user.id,
    name,
    updated_at: toQiscusTime(user.modifiedAt),
    username: name,
  };
}

/**
 * A user who has just logged in, as the client SDKs read it. What stands for a part of the vendor's service that is not
 * ours (rooms, push, its realtime broker) is there and empty, since native SDKs take no answer without it.
 */
export function toQiscusSdkUser(app: App, profiled: ProfiledUser, { token, refreshToken }: UserTokens): QiscusSdkUser {
  const { user, profile } = profiled;
  const avatarUrl = profile.avatarUrl ?? '';
  const appNumber = numberOf(app);
  return {
    active: user.activated,
    app: { code: app.alias ?? app.appId, id: appNumber, id_str: String(appNumber), name: app.name },
    avatar: { avatar: { url: avatarUrl } },
    avatar_url: avatarUrl,
    email: profile.userId,
    extras: profile.extras,
    id: user.id,
    id_str: String(user.id),
    last_comment_id: 0,
    last_comment_id_str: '0',
    last_sync_event_id: 0,
    pn_android_configured: false,
    pn_ios_configured: false,
    refresh_token: refreshToken,
    rtKey: '',
    token,
    // Empty: a token has no end, and clients need not renew it.
    token_expires_at: '',
    username: displayNameOf(profiled),
  };
}

/** The vendor numbers its apps; ours have a uuid, of which this is the beginning. */
function numberOf(app: App): number {
  return parseInt(app.id.slice(0, 8), 16);
}
