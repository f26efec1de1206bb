import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import {
  ApiBearerAuth,
  ApiBody,
  ApiExtraModels,
  ApiOperation,
  ApiQuery,
  ApiTags,
  getSchemaPath,
} from '@nestjs/swagger';
import type { GroupKind } from '../../groups/group.js';
import { GroupsService } from '../../groups/groups.service.js';
import { RateLimit } from '../../rate-limit/rate-limit.decorator.js';
import { foldUsername } from '../../users/username.js';
import { AccessBy } from '../../http/access.guard.js';
import { Repeatable } from '../../http/repeatable.decorator.js';
import { JsonBody } from '../../http/json-body.pipe.js';
import { AgoraAnswer } from './agora-answer.decorator.js';
import { AgoraAppTokenGuard } from './agora-app-token.guard.js';
import { AgoraCall, Call } from './agora-call.js';
import {
  AddAgoraMembersDto,
  AgoraGroup,
  CreateAgoraGroupDto,
  CreateAgoraRoomDto,
  toAgoraGroup,
  toAgoraJoined,
  toNewGroup,
} from './agora-groups.dto.js';
import { pageOf } from './agora-page.js';
import { agoraPrefixes } from './agora-prefixes.js';

const ownPool = { pool: 'own' } as const;

const text = { type: 'string' };
const whole = { type: 'integer' };
const flag = { type: 'boolean' };
const object = (properties: object, ...optional: string[]) => ({
  type: 'object',
  properties,
  required: Object.keys(properties).filter((name) => !optional.includes(name)),
});
const listOf = (items: object) => ({ type: 'array', items });
/** A member or the owner. */
const affiliation = { type: 'object', properties: { member: text, owner: text } };
/** Groups are called by `groupid`, rooms by `id`. */
const changed = (properties: object) => object({ id: text, groupid: text, ...properties }, 'id', 'groupid');
const limitQuery = { name: 'limit', required: false, description: '1 to 100, default 10' };
const cursorQuery = { name: 'cursor', required: false, description: 'From the page before' };

/** What every route of the groups answers; members in the order of the alphabet. */
const GroupAnswer = (data: object, ...more: Parameters<typeof AgoraAnswer>): MethodDecorator =>
  AgoraAnswer(
    'action',
    'application',
    'applicationName',
    { data },
    'duration',
    'entities',
    'organization',
    'properties',
    'timestamp',
    'uri',
    ...more,
  );

const MadeAnswer = (): MethodDecorator => GroupAnswer(changed({}));
const DeletedAnswer = (): MethodDecorator => GroupAnswer(changed({ success: flag }));
const AddedAnswer = (): MethodDecorator => GroupAnswer(changed({ result: flag, action: text, user: text }));
const AddedManyAnswer = (): MethodDecorator => GroupAnswer(changed({ newmembers: listOf(text), action: text }));
const removed = changed({ result: flag, action: text, user: text });
const RemovedAnswer = (): MethodDecorator => GroupAnswer({ oneOf: [removed, listOf(removed)] });
const GroupsAnswer = (): MethodDecorator => GroupAnswer(listOf({ $ref: getSchemaPath(AgoraGroup) }), 'count');
const MembersAnswer = (): MethodDecorator => GroupAnswer(listOf(affiliation), 'count');

/** Chat groups and chat rooms, as far as it matters who owns them and who is in them. */
@ApiTags('groups')
@ApiBearerAuth()
@ApiExtraModels(AgoraGroup)
@Controller(agoraPrefixes)
@AccessBy(AgoraAppTokenGuard)
export class AgoraGroupsController {
  constructor(private readonly groups: GroupsService) {}

  @Post('chatgroups')
  @HttpCode(200)
  @RateLimit(100, ownPool)
  @ApiOperation({ summary: 'Make a chat group' })
  @ApiBody({ type: CreateAgoraGroupDto })
  @MadeAnswer()
  @Repeatable()
  async createGroup(@Call() call: AgoraCall, @Body(new JsonBody(CreateAgoraGroupDto)) body: CreateAgoraGroupDto) {
    const { id } = await this.groups.create(call.app.id, toNewGroup('group', body), body.owner, body.members ?? []);
    return answer(call, 'post', { groupid: String(id) });
  }

  @Post('chatrooms')
  @HttpCode(200)
  @RateLimit(100, ownPool)
  @ApiOperation({ summary: 'Make a chat room' })
  @ApiBody({ type: CreateAgoraRoomDto })
  @MadeAnswer()
  @Repeatable()
  async createRoom(@Call() call: AgoraCall, @Body(new JsonBody(CreateAgoraRoomDto)) body: CreateAgoraRoomDto) {
    const { id } = await this.groups.create(call.app.id, toNewGroup('room', body), body.owner, body.members ?? []);
    return answer(call, 'post', { id: String(id) });
  }

  @Get('chatgroups')
  @RateLimit(100, ownPool)
  @ApiOperation({ summary: 'Chat groups in the order of their making, page by page' })
  @ApiQuery(limitQuery)
  @ApiQuery(cursorQuery)
  @GroupAnswer(
    listOf(
      object({
        owner: text,
        groupid: text,
        affiliations: whole,
        type: { ...text, enum: ['group'] },
        last_modified: text,
        groupname: text,
      }),
    ),
    'cursor?',
    'count',
  )
  async listGroups(@Call() call: AgoraCall, @Query() query: Record<string, unknown>) {
    const page = await this.list(call, 'group', query);
    const data = page.groups.map(({ group, owner }) => ({
      owner: `${call.app.org}#${call.app.name}_${owner}`,
      groupid: String(group.id),
      affiliations: group.members,
      type: 'group',
      last_modified: String(group.modifiedAt),
      groupname: group.name,
    }));
    return { ...answer(call, 'get', data), ...page.end };
  }

  @Get('chatrooms')
  @RateLimit(100, ownPool)
  @ApiOperation({ summary: 'Chat rooms in the order of their making, page by page' })
  @ApiQuery(limitQuery)
  @ApiQuery(cursorQuery)
  @GroupAnswer(listOf(object({ id: text, name: text, owner: text, affiliations_count: whole })), 'cursor?', 'count')
  async listRooms(@Call() call: AgoraCall, @Query() query: Record<string, unknown>) {
    const page = await this.list(call, 'room', query);
    const data = page.groups.map(({ group, owner }) => ({
      id: String(group.id),
      name: group.name,
      owner: `${call.app.org}#${call.app.name}_${owner}`,
      affiliations_count: group.members,
    }));
    return { ...answer(call, 'get', data), ...page.end };
  }

  @Get('chatgroups/:id')
  @RateLimit(100, ownPool)
  @ApiOperation({ summary: 'A chat group' })
  @GroupsAnswer()
  getGroup(@Call() call: AgoraCall, @Param('id') id: string) {
    return this.get(call, 'group', id);
  }

  @Get('chatrooms/:id')
  @RateLimit(100, ownPool)
  @ApiOperation({ summary: 'A chat room' })
  @GroupsAnswer()
  getRoom(@Call() call: AgoraCall, @Param('id') id: string) {
    return this.get(call, 'room', id);
  }

  @Delete('chatgroups/:id')
  @RateLimit(100, ownPool)
  @ApiOperation({ summary: 'Delete a chat group' })
  @DeletedAnswer()
  @Repeatable()
  async deleteGroup(@Call() call: AgoraCall, @Param('id') id: string) {
    await this.groups.delete(call.app.id, 'group', id);
    return answer(call, 'delete', { success: true, groupid: id });
  }

  @Delete('chatrooms/:id')
  @RateLimit(100, ownPool)
  @ApiOperation({ summary: 'Delete a chat room' })
  @DeletedAnswer()
  @Repeatable()
  async deleteRoom(@Call() call: AgoraCall, @Param('id') id: string) {
    await this.groups.delete(call.app.id, 'room', id);
    return answer(call, 'delete', { success: true, id });
  }

  @Get('chatgroups/:id/users')
  @RateLimit(100, ownPool)
  @ApiOperation({ summary: 'Who is in a chat group' })
  @MembersAnswer()
  listGroupMembers(@Call() call: AgoraCall, @Param('id') id: string) {
    return this.listMembers(call, 'group', id);
  }

  @Get('chatrooms/:id/users')
  @RateLimit(100, ownPool)
  @ApiOperation({ summary: 'Who is in a chat room' })
  @MembersAnswer()
  listRoomMembers(@Call() call: AgoraCall, @Param('id') id: string) {
    return this.listMembers(call, 'room', id);
  }

  @Post('chatgroups/:id/users/:username')
  @HttpCode(200)
  @RateLimit(100, ownPool)
  @ApiOperation({ summary: 'Add a user to a chat group' })
  @AddedAnswer()
  @Repeatable()
  async addToGroup(@Call() call: AgoraCall, @Param('id') id: string, @Param('username') user: string) {
    await this.groups.addMembers(call.app.id, 'group', id, [user]);
    return answer(call, 'post', { result: true, action: 'add_member', groupid: id, user });
  }

  @Post('chatrooms/:id/users/:username')
  @HttpCode(200)
  @RateLimit(100, ownPool)
  @ApiOperation({ summary: 'Add a user to a chat room' })
  @AddedAnswer()
  @Repeatable()
  async addToRoom(@Call() call: AgoraCall, @Param('id') id: string, @Param('username') user: string) {
    await this.groups.addMembers(call.app.id, 'room', id, [user]);
    return answer(call, 'post', { result: true, action: 'add_member', id, user });
  }

  @Post('chatgroups/:id/users')
  @HttpCode(200)
  @RateLimit(100, ownPool)
  @ApiOperation({ summary: 'Add up to 60 users to a chat group' })
  @ApiBody({ type: AddAgoraMembersDto })
  @AddedManyAnswer()
  @Repeatable()
  async addManyToGroup(
    @Call() call: AgoraCall,
    @Param('id') id: string,
    @Body(new JsonBody(AddAgoraMembersDto)) { usernames }: AddAgoraMembersDto,
  ) {
    const newmembers = await this.groups.addMembers(call.app.id, 'group', id, usernames);
    return answer(call, 'post', { newmembers, groupid: id, action: 'add_member' });
  }

  @Post('chatrooms/:id/users')
  @HttpCode(200)
  @RateLimit(100, ownPool)
  @ApiOperation({ summary: 'Add up to 60 users to a chat room' })
  @ApiBody({ type: AddAgoraMembersDto })
  @AddedManyAnswer()
  @Repeatable()
  async addManyToRoom(
    @Call() call: AgoraCall,
    @Param('id') id: string,
    @Body(new JsonBody(AddAgoraMembersDto)) { usernames }: AddAgoraMembersDto,
  ) {
    const newmembers = await this.groups.addMembers(call.app.id, 'room', id, usernames);
    return answer(call, 'post', { newmembers, id, action: 'add_member' });
  }

  /** One name, or several with commas between them: then `data` is a list. */
  @Delete('chatgroups/:id/users/:usernames')
  @RateLimit(100, ownPool)
  @ApiOperation({ summary: 'Remove a user, or several with commas between them' })
  @RemovedAnswer()
  @Repeatable()
  async removeFromGroup(@Call() call: AgoraCall, @Param('id') id: string, @Param('usernames') usernames: string) {
    return answer(call, 'delete', await this.remove(call, 'group', id, usernames, { groupid: id }));
  }

  @Delete('chatrooms/:id/users/:usernames')
  @RateLimit(100, ownPool)
  @ApiOperation({ summary: 'Remove a user, or several with commas between them' })
  @RemovedAnswer()
  @Repeatable()
  async removeFromRoom(@Call() call: AgoraCall, @Param('id') id: string, @Param('usernames') usernames: string) {
    return answer(call, 'delete', await this.remove(call, 'room', id, usernames, { id }));
  }

  @Get('users/:username/joined_chatgroups')
  @RateLimit(100, ownPool)
  @ApiOperation({ summary: 'The chat groups that a user is in' })
  @GroupAnswer(listOf(object({ groupid: text, groupname: text })), 'count')
  joinedGroups(@Call() call: AgoraCall, @Param('username') username: string) {
    return this.joined(call, 'group', username);
  }

  @Get('users/:username/joined_chatrooms')
  @RateLimit(100, ownPool)
  @ApiOperation({ summary: 'The chat rooms that a user is in' })
  @GroupAnswer(listOf(object({ id: text, name: text })), 'count')
  joinedRooms(@Call() call: AgoraCall, @Param('username') username: string) {
    return this.joined(call, 'room', username);
  }

  private async list(call: AgoraCall, kind: GroupKind, query: Record<string, unknown>) {
    const { limit, cursor } = pageOf(query);
    const page = await this.groups.list(call.app.id, kind, limit, cursor);
    const end = { ...(page.cursor === null ? {} : { cursor: page.cursor }), count: page.groups.length };
    return { groups: page.groups, end };
  }

  private async get(call: AgoraCall, kind: GroupKind, id: string) {
    const detail = await this.groups.get(call.app.id, kind, id);
    return { ...answer(call, 'get', [toAgoraGroup(detail)]), count: 1 };
  }

  private async listMembers(call: AgoraCall, kind: GroupKind, id: string) {
    const { affiliations } = toAgoraGroup(await this.groups.get(call.app.id, kind, id));
    return { ...answer(call, 'get', affiliations), count: affiliations.length };
  }

  private async joined(call: AgoraCall, kind: GroupKind, username: string) {
    const groups = await this.groups.joined(call.app.id, kind, username);
    return { ...answer(call, 'get', groups.map(toAgoraJoined)), count: groups.length };
  }

  /** A user who is no member is answered with `result: false`. */
  private async remove(call: AgoraCall, kind: GroupKind, id: string, usernames: string, named: object) {
    const names = usernames.split(',');
    const removed = new Set(await this.groups.removeMembers(call.app.id, kind, id, names));
    const results = names.map((user) => ({
      result: removed.has(foldUsername(user)),
      action: 'remove_member',
      ...named,
      user,
    }));
    return results.length === 1 ? results[0] : results;
  }
}

function answer(call: AgoraCall, action: 'get' | 'post' | 'delete', data: unknown) {
  return {
    action,
    application: call.app.id,
    applicationName: call.app.name,
    data,
    duration: call.duration,
    entities: [],
    organization: call.app.org,
    properties: {},
    timestamp: call.timestamp,
    uri: call.uri(call.path),
  };
}
