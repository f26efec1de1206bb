import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsNotEmpty, IsOptional, IsString } from 'class-validator';
import { AppError } from '../../errors/app-error.js';
import { type GroupChange, maxMembersOf } from '../../groups/group.js';
import {
  booleanOf,
  IsOptionalBoolean,
  IsOptionalWholeNumber,
  type LenientBoolean,
  type LenientNumber,
  wholeNumberOf,
} from './lenient-values.js';

/** What may change in a group or a room; members omitted or null stay unchanged. */
export class UpdateAgoraRoomDto {
  @ApiPropertyOptional({ type: String, nullable: true, maxLength: 128 })
  @IsOptional()
  @IsString({ message: 'groupname must be a string' })
  groupname?: string | null;

  @ApiPropertyOptional({ type: String, nullable: true, maxLength: 128, description: 'The same as `groupname`' })
  @IsOptional()
  @IsString({ message: 'name must be a string' })
  name?: string | null;

  @ApiPropertyOptional({ type: String, nullable: true, maxLength: 512 })
  @IsOptional()
  @IsString({ message: 'description must be a string' })
  description?: string | null;

  @ApiPropertyOptional({ type: String, nullable: true, maxLength: 512, description: 'The same as `description`' })
  @IsOptional()
  @IsString({ message: 'desc must be a string' })
  desc?: string | null;

  @ApiPropertyOptional({
    ...{ type: 'integer', nullable: true, minimum: 0, maximum: maxMembersOf.group },
    description: 'Or its text; 0: stays as it is',
  })
  @IsOptionalWholeNumber()
  maxusers?: LenientNumber | null;

  @ApiPropertyOptional({ type: String, nullable: true, maxLength: 4096 })
  @IsOptional()
  @IsString({ message: 'custom must be a string' })
  custom?: string | null;

  @ApiPropertyOptional({ type: String, nullable: true, example: 'user2', description: 'A member' })
  @IsOptional()
  @IsString({ message: 'newowner must be a string' })
  @IsNotEmpty({ message: 'newowner must not be empty' })
  newowner?: string | null;
}

export class UpdateAgoraGroupDto extends UpdateAgoraRoomDto {
  @ApiPropertyOptional({ type: Boolean, nullable: true })
  @IsOptionalBoolean()
  public?: LenientBoolean | null;

  @ApiPropertyOptional({ type: Boolean, nullable: true })
  @IsOptionalBoolean()
  membersonly?: LenientBoolean | null;

  @ApiPropertyOptional({ type: Boolean, nullable: true, description: 'The same as `membersonly`' })
  @IsOptionalBoolean()
  members_only?: LenientBoolean | null;

  @ApiPropertyOptional({ type: Boolean, nullable: true, description: 'The same as `membersonly`' })
  @IsOptionalBoolean()
  approval?: LenientBoolean | null;

  @ApiPropertyOptional({ type: Boolean, nullable: true })
  @IsOptionalBoolean()
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
