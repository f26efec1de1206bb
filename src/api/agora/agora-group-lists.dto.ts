import { ApiProperty } from '@nestjs/swagger';
import { IsArray, IsDefined, IsNotEmpty, IsString } from 'class-validator';
import type { BlockResult } from '../../groups/group-lists.service.js';
import type { GroupListEntry } from '../../groups/group-list.js';
import { AddAgoraMembersDto } from './agora-groups.dto.js';
import { IsWholeNumber, type LenientNumber } from './lenient-values.js';
import { OptionalText } from './optional-members.js';

export class MuteAgoraMembersDto {
  @ApiProperty({ type: [String], maxItems: 60, description: 'Up to 100 in a room' })
  @IsDefined({ message: 'usernames is required: a list of users' })
  @IsArray({ message: 'usernames must be a list of users' })
  @IsString({ each: true, message: 'usernames must be a list of strings' })
  usernames!: string[];

  @ApiProperty({
    type: 'integer',
    minimum: -1,
    description: 'Milliseconds, as a number or a string; -1: permanently, 0: unmute',
  })
  @IsWholeNumber()
  mute_duration!: LenientNumber;
}

export class BlockAgoraUsersDto extends AddAgoraMembersDto {}

export class AddAgoraAdminDto {
  @ApiProperty({ example: 'user1' })
  @IsDefined({ message: 'newadmin is required' })
  @IsString({ message: 'newadmin must be a string' })
  @IsNotEmpty({ message: 'newadmin must not be empty' })
  newadmin!: string;
}

export class AddAgoraSuperAdminDto {
  @ApiProperty({ example: 'user1' })
  @IsDefined({ message: 'superadmin is required' })
  @IsString({ message: 'superadmin must be a string' })
  @IsNotEmpty({ message: 'superadmin must not be empty' })
  superadmin!: string;
}

export class SetAgoraAnnouncementDto {
  @OptionalText({ maxLength: 512, description: 'Omitted or `""`: remove the announcement' })
  announcement?: string | null;
}

export function toAgoraMute({ username, expiresAt }: GroupListEntry) {
  return { expire: expiresAt, user: username };
}

/** Why a user was not blocked, in the vendor's words; null: blocked. @param place the word for the group */
export function reasonOf(result: BlockResult, user: string, place: 'group' | 'chatroom', id: string): string | null {
  switch (result) {
    case 'blocked':
      return null;
    case 'owner':
      return 'forbidden operation on group owner!';
    case 'no_member':
      return `user: ${user} doesn't exist in ${place}: ${id}`;
  }
}
