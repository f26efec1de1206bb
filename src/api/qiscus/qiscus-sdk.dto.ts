import { ApiProperty, type ApiPropertyOptions } from '@nestjs/swagger';
import type { App } from '../../apps/app.js';
import type { UserStatus } from '../../last-seen/last-seen.service.js';
import { displayNameOf, type ProfiledUser } from '../../profiles/profile.js';
import type { UserTokens } from '../../profiles/profiles.service.js';

const off = { enum: [false] } as const;

/** Client configuration. Everything that would make it use the vendor's broker or rooms is off. */
export class QiscusConfig {
  @ApiProperty(off)
  auto_refresh_token = false;

  @ApiProperty({
    type: String,
    description: 'Empty, like every address: clients keep the one they were configured with',
  })
  base_url = '';

  @ApiProperty({ type: String })
  broker_lb_url = '';

  @ApiProperty({ type: String })
  broker_url = '';

  @ApiProperty(off)
  enable_event_report = false;

  @ApiProperty(off)
  enable_realtime = false;

  @ApiProperty(off)
  enable_realtime_check = false;

  @ApiProperty(off)
  enable_sync = false;

  @ApiProperty(off)
  enable_sync_event = false;

  @ApiProperty({ type: String })
  extras = '{}';

  @ApiProperty({ type: 'integer', description: 'Milliseconds' })
  sync_interval = 5_000;

  @ApiProperty({ type: 'integer', description: 'Milliseconds' })
  sync_on_connect = 10_000;
}

/** Whether a user is online. */
export class QiscusUserStatus {
  @ApiProperty({ description: 'The user id as written in the request' })
  email!: string;

  @ApiProperty({ type: 'integer', enum: [0, 1] })
  status!: 0 | 1;

  @ApiProperty({
    type: 'integer',
    description: 'Unix seconds: now if online, else when the user last was, or was registered; 0: nobody',
  })
  timestamp!: number;
}

const avatar: ApiPropertyOptions = {
  type: 'object',
  properties: { avatar: { type: 'object', properties: { url: { type: 'string' } }, required: ['url'] } },
  required: ['avatar'],
};

/** Another user, as the client SDKs expect it. */
export class QiscusOtherUser {
  @ApiProperty(avatar)
  avatar!: { avatar: { url: string } };

  @ApiProperty({ description: 'Empty if not set' })
  avatar_url!: string;

  @ApiProperty({ description: 'The user id', example: 'guest1@example.com' })
  email!: string;

  @ApiProperty({ type: 'object', additionalProperties: true })
  extras!: Readonly<Record<string, unknown>>;

  @ApiProperty({ type: 'integer', description: 'Below 2^53', example: 763173274103841 })
  id!: number;

  @ApiProperty({ example: '763173274103841' })
  id_str!: string;

  @ApiProperty({ description: 'The display name' })
  username!: string;
}

/** A user who has just logged in, as the client SDKs expect it. */
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

  @ApiProperty(avatar)
  avatar!: { avatar: { url: string } };

  @ApiProperty()
  avatar_url!: string;

  @ApiProperty({ example: 'guest1@example.com' })
  email!: string;

  @ApiProperty({ type: 'object', additionalProperties: true })
  extras!: Readonly<Record<string, unknown>>;

  @ApiProperty({ description: 'Below 2^53', example: 763173274103841 })
  id!: number;

  @ApiProperty({ example: '763173274103841' })
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

  @ApiProperty({ enum: [''], description: 'Empty: tokens do not expire, so clients need not refresh them' })
  token_expires_at!: '';

  @ApiProperty({ description: 'The display name' })
  username!: string;
}

export function toQiscusUserStatuses(userIds: readonly string[], statuses: readonly UserStatus[]): QiscusUserStatus[] {
  return userIds.map((email, index) => ({
    email,
    status: statuses[index]?.online === true ? 1 : 0,
    timestamp: Math.floor((statuses[index]?.seenAt ?? 0) / 1_000),
  }));
}

export function toQiscusOtherUser(profiled: ProfiledUser): QiscusOtherUser {
  const { user, profile } = profiled;
  const avatarUrl = profile.avatarUrl ?? '';
  return {
    avatar: { avatar: { url: avatarUrl } },
    avatar_url: avatarUrl,
    email: profile.userId,
    extras: profile.extras,
    id: user.id,
    id_str: String(user.id),
    username: displayNameOf(profiled),
  };
}

/**
 * A user who has just logged in, as the client SDKs expect it. Members for parts of the vendor's service that we do not
 * offer (rooms, push, its realtime broker) are present but empty, since native SDKs reject an answer without them.
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
    // Empty: tokens do not expire, so clients need not renew them.
    token_expires_at: '',
    username: displayNameOf(profiled),
  };
}

/** The vendor numbers its apps; ours have uuids, and this is the start of one. */
function numberOf(app: App): number {
  return parseInt(app.id.slice(0, 8), 16);
}
