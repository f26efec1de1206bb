import { Param } from '@nestjs/common';
import { ApiExtraModels, getSchemaPath } from '@nestjs/swagger';
import { JsonBody } from '../../http/json-body.pipe.js';
import type { GroupKind } from '../../groups/group.js';
import { GroupPagesService } from '../../groups/group-pages.service.js';
import { GroupsService } from '../../groups/groups.service.js';
import { foldUsername } from '../../users/username.js';
import { AgoraCall, Call } from './agora-call.js';
import { AgoraController } from './agora-controller.decorator.js';
import { toAgoraChanged, toGroupChange, UpdateAgoraRoomDto } from './agora-group-changes.dto.js';
import {
  AddAgoraMembersDto,
  AgoraGroup,
  CreateAgoraGroupDto,
  CreateAgoraRoomDto,
  toAgoraGroup,
  toAgoraJoined,
  toAgoraListed,
  toAgoraMember,
  toNewGroup,
} from './agora-groups.dto.js';
import { AgoraOwnUserGuard } from './agora-own-user.guard.js';
import { answering, changing, flag, groupKinds, listOf, nameController, object, text } from './agora-group-kinds.js';
import { type AgoraMemberPage, MemberPage } from './agora-member-page.js';
import { type AgoraOptionalPage, OptionalNumberedPage } from './agora-numbered-page.js';
import { type AgoraPage, Page } from './agora-page.js';
import { AgoraRoute } from './agora-route.decorator.js';

/** Chat groups or chat rooms: the parts concerning ownership and membership. */
function controllerOf(kind: GroupKind) {
  const { one, many, id: idName, create, update, listed, joined } = groupKinds[kind];
  const changed = (properties: object) => object({ [idName]: text, ...properties });
  const removed = changed({ result: flag, action: text, user: text });

  @AgoraController('groups')
  @ApiExtraModels(AgoraGroup)
  class AgoraGroupsController {
    constructor(
      readonly groups: GroupsService,
      readonly pages: GroupPagesService,
    ) {}

    @AgoraRoute(`POST ${many}`, `Create a ${one}`, changing(changed({})))
    create(@Call() call: AgoraCall, @JsonBody(create) body: CreateAgoraGroupDto | CreateAgoraRoomDto) {
      return call.once(async () => {
        const { id } = await this.groups.create(call.app.id, toNewGroup(kind, body), body.owner, body.members ?? []);
        return call.answer({ data: { [idName]: String(id) } });
      });
    }

    @AgoraRoute(
      `GET ${many}`,
      `List ${one}s in order of creation, by page`,
      answering(listOf(listed), ' cursor? count'),
    )
    async list(@Call() call: AgoraCall, @Page() { limit, cursor }: AgoraPage) {
      const page = await this.groups.list(call.app.id, kind, limit, cursor);
      const data = page.groups.map((group) => toAgoraListed(call.app, group));
      return call.answer({ data, cursor: page.cursor, count: data.length });
    }

    /** For several ids separated by commas, returns all that exist. */
    @AgoraRoute(
      `GET ${many}/:id`,
      `Get one or more ${one}s by id (comma-separated)`,
      answering(listOf({ $ref: getSchemaPath(AgoraGroup) }), ' count'),
    )
    async get(@Call() call: AgoraCall, @Param('id') ids: string) {
      const groups = await this.groups.getAll(call.app.id, kind, ids.split(','));
      return call.answer({ data: groups.map(toAgoraGroup), count: groups.length });
    }

    /** Changes the members given; `newowner`, alone or with others, transfers ownership. */
    @AgoraRoute(
      `PUT ${many}/:id`,
      `Update a ${one}, or transfer its ownership`,
      changing({ type: 'object', additionalProperties: flag }),
    )
    update(@Call() call: AgoraCall, @Param('id') id: string, @JsonBody(update) body: UpdateAgoraRoomDto) {
      return call.once(async () => {
        const change = toGroupChange(body);
        await this.groups.update(call.app.id, kind, id, change);
        return call.answer({ data: toAgoraChanged(change) });
      });
    }

    @AgoraRoute(`DELETE ${many}/:id`, `Delete a ${one}`, changing(changed({ success: flag })))
    delete(@Call() call: AgoraCall, @Param('id') id: string) {
      return call.once(async () => {
        await this.groups.delete(call.app.id, kind, id);
        return call.answer({ data: { success: true, [idName]: id } });
      });
    }

    /** All, including the owner; or, with `version=v3`, a page of names without the owner; or a page by number. */
    @AgoraRoute(
      `GET ${many}/:id/users`,
      `List the members of a ${one}, including the owner`,
      answering(
        listOf({ oneOf: [{ type: 'object', properties: { member: text, owner: text } }, text] }),
        ' params? cursor? count',
      ),
    )
    async listMembers(@Call() call: AgoraCall, @Param('id') id: string, @MemberPage() page: AgoraMemberPage) {
      const { data, ...more } = await this.membersOn(page, call.app.id, id);
      return call.answer({ params: null, ...more, data, count: data.length });
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

    /** One name, or several separated by commas: then `data` is a list. A user who is not a member: `result: false`. */
    @AgoraRoute(
      `DELETE ${many}/:id/users/:usernames`,
      `Remove one or more users (comma-separated) from a ${one}`,
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

    @AgoraRoute(`GET users/:username/joined_${many}`, `List the ${one}s that a user belongs to`, {
      ...answering(listOf(joined), ' params? count'),
      guard: AgoraOwnUserGuard,
    })
    async listJoined(
      @Call() call: AgoraCall,
      @Param('username') username: string,
      @OptionalNumberedPage() { page, params }: AgoraOptionalPage,
    ) {
      const groups = await this.pages.listJoined(call.app.id, kind, username, page);
      return call.answer({ params, data: groups.map(toAgoraJoined), count: groups.length });
    }

    private async membersOn({ v3, numbered }: AgoraMemberPage, appId: string, id: string) {
      if (v3 !== null) {
        const { names, cursor } = await this.pages.listMembers(appId, kind, id, v3.limit, v3.cursor);
        return { data: names, cursor };
      }
      const { page, params } = numbered;
      if (page === null) return { data: toAgoraGroup(await this.groups.get(appId, kind, id)).affiliations };
      const members = await this.pages.listMembersByNumber(appId, kind, id, page);
      return { data: members.map(toAgoraMember), params };
    }
  }

  nameController(AgoraGroupsController, kind);
  return AgoraGroupsController;
}

export const AgoraGroupsController = controllerOf('group');
export const AgoraRoomsController = controllerOf('room');
