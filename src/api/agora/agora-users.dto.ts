import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsDefined, IsNotEmpty, IsOptional, IsString } from 'class-validator';
import type { App } from '../../apps/app.js';
import type { User } from '../../users/user.js';
import { failsWith } from '../../http/json-body.pipe.js';

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

  @ApiPropertyOptional({ type: String, nullable: true, maxLength: 100, example: 'testuser' })
  @IsOptional()
  @IsString({ message: 'nickname must be a string' })
  nickname?: string | null;
}

export class ChangeAgoraPasswordDto {
  @ApiProperty({ description: 'Up to 64 bytes of UTF-8', example: '456' })
  @IsDefined(failsWith('new_password_missing'))
  @IsNotEmpty(failsWith('new_password_missing'))
  @IsString({ message: 'newpassword must be a string' })
  newpassword!: string;
}

export class ChangeAgoraUserDto {
  @ApiProperty({ maxLength: 100, example: 'testuser' })
  @IsDefined({ message: 'nickname is required' })
  @IsString({ message: 'nickname must be a string' })
  nickname!: string;
}

/** Why a user is banned or unbanned: ours, beyond the vendor's API, kept in the history of the account. */
export class AgoraReasonDto {
  @ApiPropertyOptional({ type: String, nullable: true, maxLength: 1000, example: 'spam' })
  @IsOptional()
  @IsString({ message: 'reason must be a string' })
  reason?: string | null;
}

/** A user as every route of the dialect shows it; members in this order. */
export class AgoraUser {
  @ApiProperty({ format: 'uuid', example: '0ffe2d80-ed76-11e8-8d66-279e3e1c214b' })
  uuid!: string;

  @ApiProperty({ enum: ['user'] })
  type!: 'user';

  @ApiProperty({ description: 'Unix milliseconds', example: 1542795196504 })
  created!: number;

  @ApiProperty({ description: 'Unix milliseconds', example: 1542795196504 })
  modified!: number;

  @ApiProperty({ example: 'user1' })
  username!: string;

  @ApiProperty()
  activated!: boolean;

  @ApiPropertyOptional({ description: 'Only if one was given', example: 'testuser' })
  nickname?: string;
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
  };
}

/** A user in the answer to its deletion. Agora's documents show it as it was, the live service as not activated. */
export function toDeletedAgoraUser({ settings }: App, user: User): AgoraUser {
  return toAgoraUser({ ...user, activated: user.activated && settings.profile !== 'easemob' });
}
