import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsArray, IsBoolean, IsDefined, IsInt, IsNotEmpty, IsOptional, IsString } from 'class-validator';
import type { App } from '../../apps/app.js';
import { type Group, type GroupKind, defaultMembers, membersMostOf, type NewGroup } from '../../groups/group.js';
import type { GroupDetail } from '../../groups/groups.service.js';

/** What groups and rooms have in common. */
class CreateAgoraOwnedDto {
  @ApiPropertyOptional({ type: String, nullable: true, maxLength: 512 })
  @IsOptional()
  @IsString({ message: 'description must be a string' })
  description?: string | null;

  @ApiPropertyOptional({
    type: 'integer',
    nullable: true,
    minimum: 1,
    default: defaultMembers,
    maximum: membersMostOf.group,
  })
  @IsOptional()
  @IsInt({ message: 'maxusers must be a whole number' })
  maxusers?: number | null;

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

  @ApiPropertyOptional({ type: String, nullable: true, maxLength: 4096 })
  @IsOptional()
  @IsString({ message: 'custom must be a string' })
  custom?: string | null;
}

export class CreateAgoraGroupDto extends CreateAgoraOwnedDto {
  @ApiProperty({ maxLength: 128 })
  @IsDefined({ message: 'groupname is required' })
  @IsString({ message: 'groupname must be a string' })
  groupname!: string;

  @ApiPropertyOptional({ type: Boolean, nullable: true, default: true })
  @IsOptional()
  @IsBoolean({ message: 'public must be true or false' })
  public?: boolean | null;

  @ApiPropertyOptional({
    type: Boolean,
    nullable: true,
    default: false,
    description: 'Whether the owner has to agree to who joins',
  })
  @IsOptional()
  @IsBoolean({ message: 'membersonly must be true or false' })
  membersonly?: boolean | null;

  @ApiPropertyOptional({ type: Boolean, nullable: true, default: false })
  @IsOptional()
  @IsBoolean({ message: 'allowinvites must be true or false' })
  allowinvites?: boolean | null;
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
    description: body.description ?? '',
    custom: body.custom ?? '',
    isPublic: group?.public ?? true,
    membersOnly: group?.membersonly ?? false,
    allowInvites: group?.allowinvites ?? false,
    maxMembers: body.maxusers ?? defaultMembers,
  };
}

/** A group or a room; members in the order of the vendor's example. */
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
    description: 'The members, and the owner last',
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

/** One of all groups or rooms of an app, as the vendor lists it; members in the order of its examples. */
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
