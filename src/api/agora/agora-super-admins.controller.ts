import { Param } from '@nestjs/common';
import { GroupListsService } from '../../groups/group-lists.service.js';
import { JsonBody } from '../../http/json-body.pipe.js';
import { AgoraCall, Call } from './agora-call.js';
import { AgoraController } from './agora-controller.decorator.js';
import { answering, changing, listOf, object, text } from './agora-group-kinds.js';
import { AddAgoraSuperAdminDto } from './agora-group-lists.dto.js';
import { type AgoraOptionalPage, OptionalNumberedPage } from './agora-numbered-page.js';
import { AgoraRoute } from './agora-route.decorator.js';

/** The super admins of an app's rooms: a list kept for app servers, which grants no rights here. */
@AgoraController('groups')
export class AgoraSuperAdminsController {
  constructor(private readonly lists: GroupListsService) {}

  @AgoraRoute(
    'GET chatrooms/super_admin',
    "List the super admins of an app's chat rooms",
    answering(listOf(text), ' params? count'),
  )
  async list(@Call() call: AgoraCall, @OptionalNumberedPage() { page, params }: AgoraOptionalPage) {
    const data = await this.lists.listSuperAdmins(call.app.id, page);
    return call.answer({ data, params, count: data.length });
  }

  @AgoraRoute(
    'POST chatrooms/super_admin',
    "Make a user a super admin of an app's chat rooms",
    changing(object({ result: text, resource: text })),
  )
  add(@Call() call: AgoraCall, @JsonBody(AddAgoraSuperAdminDto) { superadmin }: AddAgoraSuperAdminDto) {
    return call.once(async () => {
      await this.lists.addSuperAdmin(call.app.id, superadmin);
      return call.answer({ data: { result: 'success', resource: '' } });
    });
  }

  @AgoraRoute(
    'DELETE chatrooms/super_admin/:username',
    'Revoke the super admin role of a user',
    changing(object({ newSuperAdmin: text, resource: text })),
  )
  remove(@Call() call: AgoraCall, @Param('username') username: string) {
    return call.once(async () => {
      await this.lists.removeSuperAdmin(call.app.id, username);
      return call.answer({ data: { newSuperAdmin: username, resource: '' } });
    });
  }
}
