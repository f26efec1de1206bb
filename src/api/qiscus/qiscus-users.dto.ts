import { ApiProperty } from '@nestjs/swagger';
import { displayNameOf, type ProfiledUser } from '../../profiles/profile.js';
import { toQiscusTime } from './qiscus-time.js';

/** A user as login and profile show it; members in alphabetical order, as everywhere in this dialect. */
export class QiscusUser {
  @ApiProperty({ description: 'False if deactivated' })
  active!: boolean;

  @ApiProperty({ description: 'Empty if not set', example: 'https://images.example.com/guest1.jpg' })
  avatar_url!: string;

  @ApiProperty({ type: 'object', additionalProperties: true })
  extras!: Readonly<Record<string, unknown>>;

  @ApiProperty({ example: 'guest1@example.com' })
  user_id!: string;

  @ApiProperty({ example: 'First guest' })
  username!: string;
}

/** A user in the list of all users; `email` is the user id, `name` and `username` are both the display name. */
export class QiscusListedUser {
  @ApiProperty()
  active!: boolean;

  @ApiProperty()
  avatar_url!: string;

  @ApiProperty({ description: 'RFC 3339 with six fractional digits, UTC', example: '2025-11-26T12:00:01.123000Z' })
  created_at!: string;

  @ApiProperty({ example: 'guest1@example.com' })
  email!: string;

  @ApiProperty({ type: 'object', additionalProperties: true })
  extras!: Readonly<Record<string, unknown>>;

  @ApiProperty({ description: 'Below 2^53', example: 763173274103841 })
  id!: number;

  @ApiProperty({ example: 'First guest' })
  name!: string;

  @ApiProperty({ example: '2025-11-26T12:00:01.123000Z' })
  updated_at!: string;

  @ApiProperty({ example: 'First guest' })
  username!: string;
}

/** How many users the app has, and how many pages they fill. */
export class QiscusListMeta {
  @ApiProperty({ type: 'integer' })
  total_data!: number;

  @ApiProperty({
    type: 'integer',
    description: 'Rounded down: like the vendor, an incomplete last page is not counted',
  })
  total_page!: number;
}

export function toQiscusListMeta(total: number, pageSize: number, minPages = 0): QiscusListMeta {
  return { total_data: total, total_page: Math.max(minPages, Math.floor(total / pageSize)) };
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
