import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { ArrayMaxSize, ArrayMinSize, IsArray, IsDefined, IsNotEmpty, IsString } from 'class-validator';
import type { Contact } from '../../contacts/contact.js';
import { maxImported } from '../../contacts/contacts.service.js';

const maxChecked = 100;
const checkListSize = { message: `check_list size must be between 1 and ${maxChecked}` };

/** Users whose relation to another user is checked. */
export class CheckAgoraUsersDto {
  @ApiProperty({ example: 'user1' })
  @IsDefined({ message: 'username cannot be blank' })
  @IsString({ message: 'username must be a string' })
  @IsNotEmpty({ message: 'username cannot be blank' })
  username!: string;

  @ApiProperty({ type: [String], minItems: 1, maxItems: maxChecked, example: ['user2', 'user3'] })
  @IsDefined(checkListSize)
  @IsArray({ message: 'check_list must be a list of users' })
  @ArrayMinSize(1, checkListSize)
  @ArrayMaxSize(maxChecked, checkListSize)
  @IsString({ each: true, message: 'check_list must be a list of strings' })
  check_list!: string[];
}

export class BlockAgoraUsersDto {
  @ApiProperty({ type: [String], minItems: 1, maxItems: 500, example: ['user2'] })
  @IsDefined({ message: 'usernames is required: a list of users' })
  @IsArray({ message: 'usernames must be a list of users' })
  @ArrayMinSize(1, { message: 'usernames must name at least one user' })
  @IsString({ each: true, message: 'usernames must be a list of strings' })
  usernames!: string[];
}

export class ImportAgoraContactsDto {
  @ApiProperty({ type: [String], minItems: 1, maxItems: maxImported, example: ['user2', 'user3'] })
  @IsDefined({ message: 'usernames is required: a list of users' })
  @IsArray({ message: 'usernames must be a list of users' })
  @ArrayMinSize(1, { message: 'usernames must name at least one user' })
  @ArrayMaxSize(maxImported, { message: `request user over flow limit:${maxImported}.` })
  @IsString({ each: true, message: 'usernames must be a list of strings' })
  usernames!: string[];
}

export class RemarkAgoraContactDto {
  @ApiProperty({ maxLength: 100, description: 'An empty string removes the remark', example: 'my friend' })
  @IsDefined({ message: 'remark is required' })
  @IsString({ message: 'remark must be a string' })
  remark!: string;
}

/** A contact on a user's list. */
export class AgoraContact {
  @ApiPropertyOptional({ type: String, nullable: true, description: 'Present only if requested' })
  remark?: string | null;

  @ApiProperty({ example: 'user2' })
  username!: string;
}

export function toAgoraContact({ username, remark }: Contact, withRemark: boolean): AgoraContact {
  return withRemark ? { remark, username } : { username };
}

/** Schema of a check's answer: one relation per user. */
export function relationsSchema(related: string, unrelated: string): object {
  const relation = { type: 'string', enum: [related, unrelated] };
  return {
    type: 'array',
    items: {
      type: 'object',
      properties: { username: { type: 'string' }, relation },
      required: ['username', 'relation'],
    },
  };
}

/** The users as the caller spelled them, with their relations, in the same order. */
export function toRelations(
  { check_list }: CheckAgoraUsersDto,
  areRelated: readonly boolean[],
  related: string,
  unrelated: string,
): { username: string; relation: string }[] {
  return check_list.map((username, index) => ({
    username,
    relation: areRelated[index] === true ? related : unrelated,
  }));
}
