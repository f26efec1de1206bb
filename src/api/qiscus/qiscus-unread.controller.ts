import { Controller } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { OfflineMessagesService } from '../../offline-messages/offline-messages.service.js';
import { ProfilesService } from '../../profiles/profiles.service.js';
import { Call, QiscusCall } from './qiscus-call.js';
import { Parameters } from './qiscus-parameter.decorators.js';
import { UnreadCountsParameters, UnreadUsersParameters } from './qiscus-parameters.dto.js';
import { QiscusRoute } from './qiscus-route.decorator.js';

const secondMs = 1000;

/** Users with unread messages, and how many. A window is by the time at which messages came in. */
@ApiTags('qiscus unread')
@Controller('api/v2.1/rest')
export class QiscusUnreadController {
  constructor(
    private readonly profiles: ProfilesService,
    private readonly messages: OfflineMessagesService,
  ) {}

  @QiscusRoute('GET get_unread_users', 'Users with unread messages', {
    by: 'secret',
    results: { user_ids: { type: 'array', items: { type: 'string' } } },
  })
  async users(@Call() call: QiscusCall, @Parameters(UnreadUsersParameters) sent: UnreadUsersParameters) {
    const uuids = await this.messages.usersWithUnread(call.app.id, sent.page, sent.limit, windowOf(sent));
    const users = await this.profiles.findAllByUuid(call.app.id, uuids);
    return call.answer({ user_ids: users.map(({ profile }) => profile.userId) });
  }

  /** Users who do not exist are left out; those without unread messages have 0. */
  @QiscusRoute('GET get_user_unread_count', 'How many messages each of these users has not read', {
    by: 'secret',
    results: {
      user_unread_count: {
        type: 'array',
        items: {
          type: 'object',
          properties: { unread_count: { type: 'integer' }, user_id: { type: 'string' } },
          required: ['unread_count', 'user_id'],
        },
      },
    },
  })
  async counts(@Call() call: QiscusCall, @Parameters(UnreadCountsParameters) sent: UnreadCountsParameters) {
    const users = await this.profiles.findAll(call.app.id, sent.user_ids);
    const uuids = users.map(({ user }) => user.uuid);
    const counts = await this.messages.unreadCounts(call.app.id, uuids, windowOf(sent));
    return call.answer({
      user_unread_count: users.map(({ profile }, index) => ({
        unread_count: counts[index]?.unread ?? 0,
        user_id: profile.userId,
      })),
    });
  }
}

/** Both ends belong to the window, the last second as a whole. */
function windowOf({ start_time, end_time }: { start_time?: number; end_time?: number }) {
  return { fromMs: start_time ?? null, untilMs: end_time === undefined ? null : end_time + secondMs };
}
