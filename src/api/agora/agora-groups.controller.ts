import { Param, type Type } from '@nestjs/common';
import { ApiExtraModels, getSchemaPath } from '@nestjs/swagger';
import { JsonBody } from '../../http/json-body.pipe.js';
import type { GroupKind } from '../../groups/group.js';
import { GroupsService } from '../../groups/groups.service.js';
import { foldUsername } from '../../users/username.js';
import { AgoraCall, Call } from './agora-call.js';
import { AgoraController } from './agora-controller.decorator.js';
import {
  AddAgoraMembersDto,
  AgoraGroup,
  CreateAgoraGroupDto,
  CreateAgoraRoomDto,
  toAgoraGroup,
  toAgoraJoined,
  toAgoraListed,
  toNewGroup,
} from './agora-groups.dto.js';
import { AgoraOwnUserGuard } from './agora-own-user.guard.js';
import { type AgoraPage, Page } from './agora-page.js';
import { AgoraRoute, type AgoraRouteOptions } from './agora-route.decorator.js';

const text = { type: 'string' };
const whole = { type: 'integer' };
const flag = { type: 'boolean' };
const object = (properties: object) => ({ type: 'object', properties, required: Object.keys(properties) });
const listOf = (items: object) => ({ type: 'array', items });

/** What groups and rooms call the same things. */
const spellings = {
  group: {
    name: 'Groups',
    one: 'chat group',
    many: 'chatgroups',
    id: 'groupid',
    create: CreateAgoraGroupDto as Type<CreateAgoraGroupDto | CreateAgoraRoomDto>,
    listed: object({
      owner: text,
      groupid: text,
      affiliations: whole,
      type: { ...text, enum: ['group'] },
      last_modified: text,
      groupname: text,
    }),
    joined: object({ groupid: text, groupname: text }),
  },
  room: {
    name: 'Rooms',
    one: 'chat room',
    many: 'chatrooms',
    id: 'id',
    create: CreateAgoraRoomDto as Type<CreateAgoraGroupDto | CreateAgoraRoomDto>,
    listed: object({ id: text, name: text, owner: text, affiliations_count: whole }),
    joined: object({ id: text, name: text }),
  },
} as const;

/** Every route of groups and rooms answers these, in the order of the alphabet. */
const groupAnswer = 'action application applicationName data duration entities organization properties timestamp uri';

/** @param more members behind those of every route, each with a blank in front */
function answering(data: object, more = ''): AgoraRouteOptions {
  return { pool: 'own', answer: groupAnswer + more, schemas: { data } };
}

function changing(data: object): AgoraRouteOptions {
  return { ...answering(data), idempotent: true };
}

/** Chat groups or chat rooms, as far as it matters who owns them and who is in them. */
function controllerOf(kind: GroupKind) {
  const { one, many, id: idName, name, create, listed, joined } = spellings[kind];
  const changed = (properties: object) => object({ [idName]: text, ...properties });
  const removed = changed({ result: flag, action: text, user: text });

  @AgoraController('groups')
  @ApiExtraModels(AgoraGroup)
  class AgoraGroupsController {
    constructor(readonly groups: GroupsService) {}

    @AgoraRoute(`POST ${many}`, `Make a ${one}`, changing(changed({})))
    create(@Call() call: AgoraCall, @JsonBody(create) body: CreateAgoraGroupDto | CreateAgoraRoomDto) {
      return call.once(async () => {
        const { id } = await this.groups.create(call.app.id, toNewGroup(kind, body), body.owner, body.members ?? []);
        return call.answer({ data: { [idName]: String(id) } });
      });
    }

    @AgoraRoute(
      `GET ${many}`,
      `${capitalized(one)}s in the order of their making, page by page`,
      answering(listOf(listed), ' cursor? count'),
    )
    async list(@Call() call: AgoraCall, @Page() { limit, cursor }: AgoraPage) {
      const page = await this.groups.list(call.app.id, kind, limit, cursor);
      const data = page.groups.map((group) => toAgoraListed(call.app, group));
      return call.answer({ data, cursor: page.cursor, count: data.length });
    }

    /** Of several ids with commas between them, all that are found. */
    @AgoraRoute(
      `GET ${many}/:id`,
      `A ${one}, or several with commas between their ids`,
      answering(listOf({ $ref: getSchemaPath(AgoraGroup) }), ' count'),
    )
    async get(@Call() call: AgoraCall, @Param('id') ids: string) {
      const groups = await this.groups.getAll(call.app.id, kind, ids.split(','));
      return call.answer({ data: groups.map(toAgoraGroup), count: groups.length });
    }

    @AgoraRoute(`DELETE ${many}/:id`, `Delete a ${one}`, changing(changed({ success: flag })))
    delete(@Call() call: AgoraCall, @Param('id') id: string) {
      return call.once(async () => {
        await this.groups.delete(call.app.id, kind, id);
        return call.answer({ data: { success: true, [idName]: id } });
      });
    }

    @AgoraRoute(
      `GET ${many}/:id/users`,
      `The members of a ${one}, and its owner`,
      answering(listOf({ type: 'object', properties: { member: text, owner: text } }), ' count'),
    )
    async listMembers(@Call() call: AgoraCall, @Param('id') id: string) {
      const { affiliations } = toAgoraGroup(await this.groups.get(call.app.id, kind, id));
      return call.answer({ data: affiliations, count: affiliations.length });
    }

    @AgoraRoute(
      `POST ${many}/:id/users/:username`,
      `Add a user to a ${one}`,
      changing(changed({ result: flag, action: text, user: text })),
    )
    addMember(@Call() call: AgoraCall, @Param('id') id: string, @Param('username') user: string) {
      return call.once(async () => {
        await this.groups.addMembers(call.app.id, kind, id, [user]);
        return call.answer({ data: { result: true, action: 'add_member', [idName]: id, user } });
      });
    }

    @AgoraRoute(
      `POST ${many}/:id/users`,
      `Add up to 60 users to a ${one}`,
      changing(changed({ newmembers: listOf(text), action: text })),
    )
    addMembers(
      @Call() call: AgoraCall,
      @Param('id') id: string,
      @JsonBody(AddAgoraMembersDto) { usernames }: AddAgoraMembersDto,
    ) {
      return call.once(async () => {
        const newmembers = await this.groups.addMembers(call.app.id, kind, id, usernames);
        return call.answer({ data: { newmembers, [idName]: id, action: 'add_member' } });
      });
    }

    /** One name, or several with commas between them: then `data` is a list. A user who is no member has `result: false`. */
    @AgoraRoute(
      `DELETE ${many}/:id/users/:usernames`,
      `Remove a user from a ${one}, or several with commas between them`,
      changing({ oneOf: [removed, listOf(removed)] }),
    )
    removeMembers(@Call() call: AgoraCall, @Param('id') id: string, @Param('usernames') usernames: string) {
      return call.once(async () => {
        const names = usernames.split(',');
        const left = new Set(await this.groups.removeMembers(call.app.id, kind, id, names));
        const results = names.map((user) => ({
          result: left.has(foldUsername(user)),
          action: 'remove_member',
          [idName]: id,
          user,
        }));
        return call.answer({ data: results.length === 1 ? results[0] : results });
      });
    }

    @AgoraRoute(`GET users/:username/joined_${many}`, `The ${one}s that a user is in`, {
      ...answering(listOf(joined), ' count'),
      guard: AgoraOwnUserGuard,
    })
    async listJoined(@Call() call: AgoraCall, @Param('username') username: string) {
      const groups = await this.groups.joined(call.app.id, kind, username);
      return call.answer({ data: groups.map(toAgoraJoined), count: groups.length });
    }
  }

  // Routes are counted and documented by the name of their controller.
  Object.defineProperty(AgoraGroupsController, 'name', { value: `Agora${name}Controller` });
  return AgoraGroupsController;
}

function capitalized(words: string): string {
  return words.replace(/^./, (letter) => letter.toUpperCase());
}

export const AgoraGroupsController = controllerOf('group');
export const AgoraRoomsController = controllerOf('room');
