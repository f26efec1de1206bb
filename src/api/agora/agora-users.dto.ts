import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsDefined, IsNotEmpty, IsOptional, IsString } from 'class-validator';
import type { App } from '../../apps/app.js';
import { AppError } from '../../errors/app-error.js';
import { failsWith } from '../../http/json-body.pipe.js';
import { maxDisplayStyle, maxHour, type PushSettings, readPushSettings } from '../../users/push-settings.js';
import type { User } from '../../users/user.js';
import type { UserSettings } from '../../users/user-settings.service.js';
import {
  booleanOf,
  IsOptionalNumberBetween,
  type LenientBoolean,
  type LenientNumber,
  wholeNumberOf,
} from './lenient-values.js';
import { OptionalFlag, OptionalText } from './optional-members.js';

/** One user to register. */
export class RegisterAgoraUserDto {
  @ApiProperty({ maxLength: 64, pattern: '^[A-Za-z0-9_.-]+$', example: 'user1' })
  @IsDefined(failsWith('username_missing'))
  @IsString({ message: 'username must be a string' })
  username!: string;

  @ApiProperty({ type: String, nullable: true, description: 'Up to 64 bytes of UTF-8', example: '123' })
  @IsOptional()
  @IsString({ message: 'password must be a string' })
  password?: string | null;

  @OptionalText({ maxLength: 100, example: 'testuser' })
  nickname?: string | null;
}

export class ChangeAgoraPasswordDto {
  @ApiProperty({ description: 'Up to 64 bytes of UTF-8', example: '456' })
  @IsDefined(failsWith('new_password_missing'))
  @IsNotEmpty(failsWith('new_password_missing'))
  @IsString({ message: 'newpassword must be a string' })
  newpassword!: string;
}

/** The nickname, push settings, or both. */
export class ChangeAgoraUserDto {
  @OptionalText({ maxLength: 100, example: 'testuser' })
  nickname?: string | null;

  @ApiPropertyOptional({
    type: 'integer',
    nullable: true,
    minimum: 0,
    maximum: maxDisplayStyle,
    description: 'As a number or a string',
  })
  @IsOptionalNumberBetween(0, maxDisplayStyle)
  notification_display_style?: LenientNumber | null;

  @OptionalFlag({ description: 'As a number or a string' })
  notification_no_disturbing?: LenientBoolean | null;

  @ApiPropertyOptional({
    type: 'integer',
    nullable: true,
    minimum: 0,
    maximum: maxHour,
    description: 'Hour of the day, as a number or a string',
  })
  @IsOptionalNumberBetween(0, maxHour)
  notification_no_disturbing_start?: LenientNumber | null;

  @ApiPropertyOptional({
    type: 'integer',
    nullable: true,
    minimum: 0,
    maximum: maxHour,
    description: 'Hour of the day, as a number or a string',
  })
  @IsOptionalNumberBetween(0, maxHour)
  notification_no_disturbing_end?: LenientNumber | null;
}

/** @throws AppError argument_invalid when there is nothing to change */
export function toSettings(dto: ChangeAgoraUserDto): UserSettings {
  const members = Object.keys(dto) as (keyof ChangeAgoraUserDto)[];
  if (members.every((member) => dto[member] === null || dto[member] === undefined))
    throw new AppError('argument_invalid', {
      detail:
        'nickname is required, or one of notification_display_style and notification_no_disturbing[_start|_end];' +
        ' there are no other settings of pushes',
    });
  return {
    nickname: dto.nickname ?? undefined,
    push: {
      displayStyle: wholeNumberOf(dto.notification_display_style) ?? undefined,
      noDisturbing: booleanOf(dto.notification_no_disturbing) ?? undefined,
      noDisturbingStart: wholeNumberOf(dto.notification_no_disturbing_start) ?? undefined,
      noDisturbingEnd: wholeNumberOf(dto.notification_no_disturbing_end) ?? undefined,
    },
  };
}

/** One user's nickname in a batch. */
export class AgoraPushNicknameDto {
  @ApiProperty({ example: 'user1' })
  @IsDefined(failsWith('username_missing'))
  @IsString({ message: 'username must be a string' })
  username!: string;

  @OptionalText({ maxLength: 100, example: 'testuser' })
  push_nickname?: string | null;

  @OptionalText({ maxLength: 100, description: 'The same as `push_nickname`' })
  nickname?: string | null;
}

/** @throws AppError argument_invalid */
export function toNamed({ username, push_nickname, nickname }: AgoraPushNicknameDto) {
  const name = push_nickname ?? nickname;
  if (name == null) throw new AppError('argument_invalid', { detail: 'push_nickname is required for each user' });
  return { username, nickname: name };
}

/** Why a user is banned or unbanned: an extension to the vendor's API, kept in the account's history. */
export class AgoraReasonDto {
  @OptionalText({ maxLength: 1000, example: 'spam' })
  reason?: string | null;
}

/** A user as every route of the dialect returns it, with members in this order. */
export class AgoraUser {
  @ApiProperty({ format: 'uuid', example: 'c3a1f501-cabf-11f0-9a51-0d2f4b7c6e18' })
  uuid!: string;

  @ApiProperty({ enum: ['user'] })
  type!: 'user';

  @ApiProperty({ description: 'Unix milliseconds', example: 1764158396001 })
  created!: number;

  @ApiProperty({ description: 'Unix milliseconds', example: 1764158396001 })
  modified!: number;

  @ApiProperty({ example: 'user1' })
  username!: string;

  @ApiProperty()
  activated!: boolean;

  @ApiPropertyOptional({ description: 'Present only if set', example: 'testuser' })
  nickname?: string;

  @ApiPropertyOptional({ type: 'integer', description: 'Present only if set, like the members below' })
  notification_display_style?: number;

  @ApiPropertyOptional()
  notification_no_disturbing?: boolean;

  @ApiPropertyOptional({ type: 'integer', description: 'Hour of the day' })
  notification_no_disturbing_start?: number;

  @ApiPropertyOptional({ type: 'integer', description: 'Hour of the day' })
  notification_no_disturbing_end?: number;
}

export function toAgoraUser(user: User): AgoraUser {
  return {
    uuid: user.uuid,
    type: 'user',
    created: user.createdAt,
    modified: user.modifiedAt,
    username: user.username,
    activated: user.activated,
    ...(user.nickname === null ? {} : { nickname: user.nickname }),
    ...(user.pushSettings === null ? {} : toAgoraPushSettings(readPushSettings(user.pushSettings))),
  };
}

function toAgoraPushSettings(settings: PushSettings): Partial<AgoraUser> {
  const { displayStyle, noDisturbing, noDisturbingStart, noDisturbingEnd } = settings;
  return {
    ...(displayStyle === undefined ? {} : { notification_display_style: displayStyle }),
    ...(noDisturbing === undefined ? {} : { notification_no_disturbing: noDisturbing }),
    ...(noDisturbingStart === undefined ? {} : { notification_no_disturbing_start: noDisturbingStart }),
    ...(noDisturbingEnd === undefined ? {} : { notification_no_disturbing_end: noDisturbingEnd }),
  };
}

/** A user in the answer to its deletion. Agora's docs show it unchanged, the live service as not activated. */
export function toDeletedAgoraUser({ settings }: App, user: User): AgoraUser {
  return toAgoraUser({ ...user, activated: user.activated && settings.profile !== 'easemob' });
}
