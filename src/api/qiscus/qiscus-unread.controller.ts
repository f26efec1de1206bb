import { Controller } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { OfflineMessagesService } from '../../offline-messages/offline-messages.service.js';
import { ProfilesService } from '../../profiles/profiles.service.js';
import { Call, QiscusCall } from './qiscus-call.js';
import { qiscusExamples } from './qiscus-examples.js';
import { Parameters } from './qiscus-parameter.decorators.js';
import { RoomUnreadCountsParameters, UnreadCountsParameters, UnreadUsersParameters } from './qiscus-parameters.dto.js';
import { QiscusRoute } from './qiscus-route.decorator.js';
import {
  QiscusRoomUnreadCount,
  QiscusUserUnreadCount,
  toCreationWindow,
  toQiscusRoomUnreadCounts,
  toQiscusUnreadCounts,
} from './qiscus-unread.dto.js';

/** Users with unread messages, and how many. Time windows refer to when messages arrived. */
@ApiTags('qiscus unread')
@Controller('api/v2.1/rest')
export class QiscusUnreadController {
  constructor(
    private readonly profiles: ProfilesService,
    private readonly messages: OfflineMessagesService,
  ) {}

  @QiscusRoute('GET get_unread_users', 'List the users with unread messages', {
    by: 'secret',
    results: { user_ids: [String] },
    example: qiscusExamples.unreadUsers,
  })
  async users(@Call() call: QiscusCall, @Parameters(UnreadUsersParameters) sent: UnreadUsersParameters) {
    const uuids = await this.messages.usersWithUnread(call.app.id, sent.page, sent.limit, toCreationWindow(sent));
    const users = await this.profiles.findAllByUuid(call.app.id, uuids);
    return call.answer({ user_ids: users.map(({ profile }) => profile.userId) });
  }

  /** Unknown users are omitted; users without unread messages have 0. */
  @QiscusRoute('GET get_user_unread_count', 'Count the unread messages of each of several users', {
    by: 'secret',
    results: { user_unread_count: [QiscusUserUnreadCount] },
    example: qiscusExamples.unreadCounts,
  })
  async counts(@Call() call: QiscusCall, @Parameters(UnreadCountsParameters) sent: UnreadCountsParameters) {
    const users = await this.profiles.findAll(call.app.id, sent.user_ids);
    const uuids = users.map(({ user }) => user.uuid);
    const counts = await this.messages.unreadCounts(call.app.id, uuids, toCreationWindow(sent));
    return call.answer({ user_unread_count: toQiscusUnreadCounts(users, counts) });
  }

  /** Each sender is a room: there are no others. Senders without unread messages are omitted. */
  @QiscusRoute('GET get_unread_count', 'Count the unread messages of a user by sender', {
    by: 'secret',
    results: { unread_counts: [QiscusRoomUnreadCount] },
  })
  async rooms(@Call() call: QiscusCall, @Parameters(RoomUnreadCountsParameters) sent: RoomUnreadCountsParameters) {
    const { user } = await this.profiles.get(call.app.id, sent.user_id);
    const conversations = await this.messages.unreadConversations(call.app.id, user.uuid);
    return call.answer({ unread_counts: toQiscusRoomUnreadCounts(conversations, sent) });
  }
}
