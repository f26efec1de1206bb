import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsNotEmpty } from 'class-validator';
import { AppError } from '../../errors/app-error.js';
import { type GroupChange, maxMembersOf } from '../../groups/group.js';
import {
  booleanOf,
  IsOptionalWholeNumber,
  type LenientBoolean,
  type LenientNumber,
  wholeNumberOf,
} from './lenient-values.js';
import { OptionalFlag, OptionalText } from './optional-members.js';

/** What may change in a group or a room; members omitted or null stay unchanged. */
export class UpdateAgoraRoomDto {
  @OptionalText({ maxLength: 128 })
  groupname?: string | null;

  @OptionalText({ maxLength: 128, description: 'The same as `groupname`' })
  name?: string | null;

  @OptionalText({ maxLength: 512 })
  description?: string | null;

  @OptionalText({ maxLength: 512, description: 'The same as `description`' })
  desc?: string | null;

  @ApiPropertyOptional({
    ...{ type: 'integer', nullable: true, minimum: 0, maximum: maxMembersOf.group },
    description: 'A number or a string; 0: leave unchanged',
  })
  @IsOptionalWholeNumber()
  maxusers?: LenientNumber | null;

  @OptionalText({ maxLength: 4096 })
  custom?: string | null;

  @OptionalText({ example: 'user2', description: 'A member' })
  @IsNotEmpty({ message: 'newowner must not be empty' })
  newowner?: string | null;
}

export class UpdateAgoraGroupDto extends UpdateAgoraRoomDto {
  @OptionalFlag()
  public?: LenientBoolean | null;

  @OptionalFlag()
  membersonly?: LenientBoolean | null;

  @OptionalFlag({ description: 'The same as `membersonly`' })
  members_only?: LenientBoolean | null;

  @OptionalFlag({ description: 'The same as `membersonly`' })
  approval?: LenientBoolean | null;

  @OptionalFlag()
  allowinvites?: LenientBoolean | null;
}

/** @throws AppError argument_invalid for a body without anything that can change */
export function toGroupChange(body: UpdateAgoraRoomDto): GroupChange {
  const group = body instanceof UpdateAgoraGroupDto ? body : null;
  const change: Record<keyof GroupChange, string | number | boolean | null | undefined> = {
    name: body.groupname ?? body.name,
    description: body.description ?? body.desc,
    custom: body.custom,
    isPublic: booleanOf(group?.public),
    membersOnly: booleanOf(group?.membersonly ?? group?.members_only ?? group?.approval),
    allowInvites: booleanOf(group?.allowinvites),
    maxMembers: wholeNumberOf(body.maxusers) || null,
    newOwner: body.newowner,
  };
  const given = Object.entries(change).filter(([, value]) => value !== undefined && value !== null);
  if (given.length === 0)
    throw new AppError('argument_invalid', {
      detail: 'groupname, description, maxusers, another member of a group that can change, or newowner is required',
    });
  return Object.fromEntries(given);
}

/** `true` for each changed member, under the vendor's names; a room's name is also `groupname`. */
export function toAgoraChanged(change: GroupChange): Record<string, true> {
  const names: Record<keyof GroupChange, string> = {
    name: 'groupname',
    description: 'description',
    custom: 'custom',
    isPublic: 'public',
    membersOnly: 'membersonly',
    allowInvites: 'allowinvites',
    maxMembers: 'maxusers',
    newOwner: 'newowner',
  };
  return Object.fromEntries(Object.keys(change).map((key) => [names[key as keyof GroupChange], true]));
}
