import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsArray, IsDefined, IsNotEmpty, IsOptional, IsString } from 'class-validator';
import type { App } from '../../apps/app.js';
import { type Group, type GroupKind, defaultMembers, maxMembersOf, type NewGroup } from '../../groups/group.js';
import type { GroupDetail } from '../../groups/groups.service.js';
import {
  booleanOf,
  IsOptionalWholeNumber,
  type LenientBoolean,
  type LenientNumber,
  wholeNumberOf,
} from './lenient-values.js';
import { OptionalFlag, OptionalText } from './optional-members.js';

/** Members that groups and rooms have in common. */
class CreateAgoraOwnedDto {
  @OptionalText({ maxLength: 512 })
  description?: string | null;

  @OptionalText({ maxLength: 512, description: 'The same as `description`' })
  desc?: string | null;

  @ApiPropertyOptional({
    type: 'integer',
    nullable: true,
    minimum: 0,
    description: 'A number or a string; 0: the default',
    default: defaultMembers,
    maximum: maxMembersOf.group,
  })
  @IsOptionalWholeNumber()
  maxusers?: LenientNumber | null;

  @ApiProperty({ example: 'user1' })
  @IsDefined({ message: 'owner is required' })
  @IsString({ message: 'owner must be a string' })
  @IsNotEmpty({ message: 'owner must not be empty' })
  owner!: string;

  @ApiPropertyOptional({ type: [String], nullable: true, example: ['user2'] })
  @IsOptional()
  @IsArray({ message: 'members must be a list of users' })
  @IsString({ each: true, message: 'members must be a list of strings' })
  members?: string[] | null;

  @OptionalText({ maxLength: 4096 })
  custom?: string | null;
}

export class CreateAgoraGroupDto extends CreateAgoraOwnedDto {
  @ApiProperty({ maxLength: 128 })
  @IsDefined({ message: 'groupname is required' })
  @IsString({ message: 'groupname must be a string' })
  groupname!: string;

  @OptionalFlag({ default: true })
  public?: LenientBoolean | null;

  @OptionalFlag({ default: false, description: 'Whether joining requires approval by the owner' })
  membersonly?: LenientBoolean | null;

  @OptionalFlag({ description: 'The same as `membersonly`' })
  members_only?: LenientBoolean | null;

  @OptionalFlag({ description: 'The same as `membersonly`' })
  approval?: LenientBoolean | null;

  @OptionalFlag({ default: false })
  allowinvites?: LenientBoolean | null;
}

export class CreateAgoraRoomDto extends CreateAgoraOwnedDto {
  @ApiProperty({ maxLength: 128 })
  @IsDefined({ message: 'name is required' })
  @IsString({ message: 'name must be a string' })
  name!: string;
}

export class AddAgoraMembersDto {
  @ApiProperty({ type: [String], maxItems: 60 })
  @IsDefined({ message: 'usernames is required: a list of users' })
  @IsArray({ message: 'usernames must be a list of users' })
  @IsString({ each: true, message: 'usernames must be a list of strings' })
  usernames!: string[];
}

export function toNewGroup(kind: GroupKind, body: CreateAgoraGroupDto | CreateAgoraRoomDto): NewGroup {
  const group = 'groupname' in body ? body : null;
  return {
    kind,
    name: 'groupname' in body ? body.groupname : body.name,
    description: body.description ?? body.desc ?? '',
    custom: body.custom ?? '',
    isPublic: booleanOf(group?.public) ?? true,
    membersOnly: booleanOf(group?.membersonly ?? group?.members_only ?? group?.approval) ?? false,
    allowInvites: booleanOf(group?.allowinvites) ?? false,
    // Go clients send 0 for unset members.
    maxMembers: wholeNumberOf(body.maxusers) || defaultMembers,
  };
}

export function toAgoraMember({ username, isOwner }: { username: string; isOwner: boolean }) {
  return isOwner ? { owner: username } : { member: username };
}

/** A group or a room, with its members in the order of the vendor's example. */
export class AgoraGroup {
  @ApiProperty({ example: '6600000000001' })
  id!: string;

  @ApiProperty()
  name!: string;

  @ApiProperty()
  description!: string;

  @ApiProperty()
  membersonly!: boolean;

  @ApiProperty()
  allowinvites!: boolean;

  @ApiProperty()
  maxusers!: number;

  @ApiProperty()
  owner!: string;

  @ApiProperty({ description: 'Unix milliseconds' })
  created!: number;

  @ApiProperty()
  custom!: string;

  @ApiProperty({ enum: [false] })
  mute!: false;

  @ApiProperty()
  affiliations_count!: number;

  @ApiProperty({
    type: 'array',
    items: { type: 'object', properties: { member: { type: 'string' }, owner: { type: 'string' } } },
    description: 'The members, followed by the owner',
  })
  affiliations!: ({ member: string } | { owner: string })[];

  @ApiProperty()
  public!: boolean;
}

export function toAgoraGroup({ group, owner, members }: GroupDetail): AgoraGroup {
  return {
    id: String(group.id),
    name: group.name,
    description: group.description,
    membersonly: group.membersOnly,
    allowinvites: group.allowInvites,
    maxusers: group.maxMembers,
    owner,
    created: group.createdAt,
    custom: group.custom,
    mute: false,
    affiliations_count: members.length + 1,
    affiliations: [...members.map((member) => ({ member })), { owner }],
    public: group.isPublic,
  };
}

export function toAgoraJoined(group: Group) {
  const id = String(group.id);
  return group.kind === 'group' ? { groupid: id, groupname: group.name } : { id, name: group.name };
}

/** An entry in the list of an app's groups or rooms; members in the order of the vendor's examples. */
export function toAgoraListed(app: App, { group, owner: username }: { group: Group; owner: string }) {
  const id = String(group.id);
  const owner = `${app.org}#${app.name}_${username}`;
  if (group.kind === 'room') return { id, name: group.name, owner, affiliations_count: group.members };
  return {
    owner,
    groupid: id,
    affiliations: group.members,
    type: 'group',
    last_modified: String(group.modifiedAt),
    groupname: group.name,
  };
}
