import { Param } from '@nestjs/common';
import type { GroupKind } from '../../groups/group.js';
import { maxEntriesOf } from '../../groups/group-list.js';
import { GroupListsService } from '../../groups/group-lists.service.js';
import { GroupsService } from '../../groups/groups.service.js';
import { JsonBody } from '../../http/json-body.pipe.js';
import { AgoraCall, Call } from './agora-call.js';
import { AgoraController } from './agora-controller.decorator.js';
import { answering, changing, flag, groupKinds, listOf, nameController, object, text } from './agora-group-kinds.js';
import { AddAgoraAdminDto, SetAgoraAnnouncementDto } from './agora-group-lists.dto.js';
import { AgoraRoute } from './agora-route.decorator.js';

/** The admins of a group or a room, and its announcement. */
function controllerOf(kind: GroupKind) {
  const { one, many } = groupKinds[kind];

  @AgoraController('groups')
  class AgoraGroupAdminsController {
    constructor(
      readonly lists: GroupListsService,
      readonly groups: GroupsService,
    ) {}

    @AgoraRoute(`GET ${many}/:id/admin`, `List the admins of a ${one}`, answering(listOf(text), ' count'))
    async list(@Call() call: AgoraCall, @Param('id') id: string) {
      const { entries } = await this.lists.list(call.app.id, kind, id, 'admin', maxEntriesOf.admin, null);
      const data = entries.map(({ username }) => username);
      return call.answer({ data, count: data.length });
    }

    @AgoraRoute(
      `POST ${many}/:id/admin`,
      `Promote a member of a ${one} to admin`,
      changing(object({ result: text, newadmin: text })),
    )
    add(@Call() call: AgoraCall, @Param('id') id: string, @JsonBody(AddAgoraAdminDto) { newadmin }: AddAgoraAdminDto) {
      return call.once(async () => {
        await this.lists.addAdmin(call.app.id, kind, id, newadmin);
        return call.answer({ data: { result: 'success', newadmin } });
      });
    }

    @AgoraRoute(
      `DELETE ${many}/:id/admin/:username`,
      `Demote an admin of a ${one} to member`,
      changing(object({ result: text, oldadmin: text })),
    )
    remove(@Call() call: AgoraCall, @Param('id') id: string, @Param('username') oldadmin: string) {
      return call.once(async () => {
        await this.lists.removeAdmin(call.app.id, kind, id, oldadmin);
        return call.answer({ data: { result: 'success', oldadmin } });
      });
    }

    @AgoraRoute(
      `GET ${many}/:id/announcement`,
      `Get the announcement of a ${one}`,
      answering(object({ announcement: text })),
    )
    async announcement(@Call() call: AgoraCall, @Param('id') id: string) {
      return call.answer({ data: { announcement: await this.groups.announcement(call.app.id, kind, id) } });
    }

    @AgoraRoute(
      `POST ${many}/:id/announcement`,
      `Set the announcement of a ${one}`,
      changing(object({ id: text, result: flag })),
    )
    announce(
      @Call() call: AgoraCall,
      @Param('id') id: string,
      @JsonBody(SetAgoraAnnouncementDto) { announcement }: SetAgoraAnnouncementDto,
    ) {
      return call.once(async () => {
        await this.groups.announce(call.app.id, kind, id, announcement ?? '');
        return call.answer({ data: { id, result: true } });
      });
    }
  }

  nameController(AgoraGroupAdminsController, kind, 'Admins');
  return AgoraGroupAdminsController;
}

export const AgoraGroupAdminsController = controllerOf('group');
export const AgoraRoomAdminsController = controllerOf('room');
