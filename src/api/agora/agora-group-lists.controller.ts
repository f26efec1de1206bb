import { Param } from '@nestjs/common';
import type { GroupKind } from '../../groups/group.js';
import { GroupListsService } from '../../groups/group-lists.service.js';
import { JsonBody } from '../../http/json-body.pipe.js';
import { foldUsername } from '../../users/username.js';
import { AgoraCall, Call } from './agora-call.js';
import { AgoraController } from './agora-controller.decorator.js';
import {
  answering,
  changing,
  flag,
  groupKinds,
  listOf,
  nameController,
  object,
  text,
  whole,
} from './agora-group-kinds.js';
import { BlockAgoraUsersDto, MuteAgoraMembersDto, reasonOf, toAgoraMute } from './agora-group-lists.dto.js';
import { ListPage } from './agora-list-page.js';
import type { AgoraPage } from './agora-page.js';
import { AgoraRoute } from './agora-route.decorator.js';
import { wholeNumberOf } from './lenient-values.js';

/** The users blocked from a group or a room, and those muted in it. */
function controllerOf(kind: GroupKind) {
  const { one, many, idBesideBlock } = groupKinds[kind];
  const blocked = object({ result: flag, action: text, user: text, [idBesideBlock]: text });
  const blockedOrNot = { ...blocked, properties: { ...blocked.properties, reason: text } };
  const unmuted = object({ result: flag, user: text });

  @AgoraController('groups')
  class AgoraGroupListsController {
    constructor(readonly lists: GroupListsService) {}

    @AgoraRoute(
      `GET ${many}/:id/blocks/users`,
      `List the blocked users of a ${one}`,
      answering(listOf(text), ' cursor? count'),
    )
    async listBlocked(@Call() call: AgoraCall, @Param('id') id: string, @ListPage() { limit, cursor }: AgoraPage) {
      const page = await this.lists.list(call.app.id, kind, id, 'block', limit, cursor);
      const data = page.entries.map(({ username }) => username);
      return call.answer({ data, cursor: page.cursor, count: data.length });
    }

    @AgoraRoute(
      `POST ${many}/:id/blocks/users/:username`,
      `Block a member of a ${one} and remove them from it`,
      changing(blocked),
    )
    block(@Call() call: AgoraCall, @Param('id') id: string, @Param('username') user: string) {
      return call.once(async () => {
        await this.lists.blockOne(call.app.id, kind, id, user);
        return call.answer({ data: { result: true, action: 'add_blocks', user, [idBesideBlock]: id } });
      });
    }

    @AgoraRoute(
      `POST ${many}/:id/blocks/users`,
      `Block up to 60 members of a ${one} and remove them from it`,
      changing(listOf(blockedOrNot)),
    )
    blockAll(
      @Call() call: AgoraCall,
      @Param('id') id: string,
      @JsonBody(BlockAgoraUsersDto) { usernames }: BlockAgoraUsersDto,
    ) {
      return call.once(async () => {
        const results = await this.lists.block(call.app.id, kind, id, usernames);
        const data = usernames.map((user) => {
          const result = results.get(foldUsername(user)) ?? 'no_member';
          const reason = reasonOf(result, user, kind === 'group' ? 'group' : 'chatroom', id);
          const said = { result: reason === null, action: 'add_blocks', ...(reason === null ? {} : { reason }) };
          return { ...said, user, [idBesideBlock]: id };
        });
        return call.answer({ data });
      });
    }

    /** One name, or several separated by commas, in which case `data` is a list. */
    @AgoraRoute(
      `DELETE ${many}/:id/blocks/users/:usernames`,
      `Unblock one or more users (comma-separated) in a ${one}`,
      changing({ oneOf: [blocked, listOf(blocked)] }),
    )
    unblock(@Call() call: AgoraCall, @Param('id') id: string, @Param('usernames') usernames: string) {
      return call.once(async () => {
        const names = usernames.split(',');
        const removed = new Set(await this.lists.remove(call.app.id, kind, id, 'block', names));
        const results = names.map((user) => {
          const result = removed.has(foldUsername(user));
          return { result, action: 'remove_blocks', user, [idBesideBlock]: id };
        });
        return call.answer({ data: results.length === 1 ? results[0] : results });
      });
    }

    @AgoraRoute(
      `GET ${many}/:id/mute`,
      `List the muted members of a ${one} with the expiry of each mute`,
      answering(listOf(object({ expire: whole, user: text })), ' cursor? count'),
    )
    async listMuted(@Call() call: AgoraCall, @Param('id') id: string, @ListPage() { limit, cursor }: AgoraPage) {
      const page = await this.lists.list(call.app.id, kind, id, 'mute', limit, cursor);
      const data = page.entries.map(toAgoraMute);
      return call.answer({ data, cursor: page.cursor, count: data.length });
    }

    @AgoraRoute(
      `POST ${many}/:id/mute`,
      `Mute members of a ${one}`,
      changing(listOf(object({ result: flag, expire: whole, user: text }))),
    )
    mute(@Call() call: AgoraCall, @Param('id') id: string, @JsonBody(MuteAgoraMembersDto) body: MuteAgoraMembersDto) {
      return call.once(async () => {
        const duration = wholeNumberOf(body.mute_duration) as number;
        const expire = await this.lists.mute(call.app.id, kind, id, body.usernames, duration);
        return call.answer({ data: body.usernames.map((user) => ({ result: true, expire, user })) });
      });
    }

    @AgoraRoute(
      `DELETE ${many}/:id/mute/:usernames`,
      `Unmute one or more members (comma-separated) of a ${one}`,
      changing(listOf(unmuted)),
    )
    unmute(@Call() call: AgoraCall, @Param('id') id: string, @Param('usernames') usernames: string) {
      return call.once(async () => {
        const names = usernames.split(',');
        const removed = new Set(await this.lists.remove(call.app.id, kind, id, 'mute', names));
        return call.answer({ data: names.map((user) => ({ result: removed.has(foldUsername(user)), user })) });
      });
    }
  }

  nameController(AgoraGroupListsController, kind, 'Lists');
  return AgoraGroupListsController;
}

export const AgoraGroupListsController = controllerOf('group');
export const AgoraRoomListsController = controllerOf('room');
