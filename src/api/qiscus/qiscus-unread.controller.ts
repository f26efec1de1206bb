import { Controller, Get } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { App } from '../../apps/app.js';
import { OfflineMessagesService } from '../../offline-messages/offline-messages.service.js';
import { ProfilesService } from '../../profiles/profiles.service.js';
import { AccessBy } from '../../http/access.guard.js';
import { answer, CallingApp, Parameters } from './qiscus-call.js';
import type { ParameterReader, QiscusParameters } from './qiscus-parameters.js';
import { QiscusResults, QiscusRoute } from './qiscus-document.decorator.js';
import { QiscusServerGuard } from './qiscus-server.guard.js';
import { parseSecond } from './qiscus-time.js';

const maxLimit = 100;
const maxCounted = 500;
const secondMs = 1000;

/** Who has unread messages, and how many. A window is by the time at which messages came in. */
@ApiTags('qiscus unread')
@Controller('api/v2.1/rest')
@AccessBy(QiscusServerGuard)
export class QiscusUnreadController {
  constructor(
    private readonly profiles: ProfilesService,
    private readonly messages: OfflineMessagesService,
  ) {}

  @Get('get_unread_users')
  @QiscusRoute('secret', 'query', 'Who has unread messages', 'page', 'limit', 'start_time', 'end_time')
  @QiscusResults({ user_ids: { type: 'array', items: { type: 'string' } } })
  async users(@CallingApp() app: App, @Parameters() parameters: QiscusParameters) {
    const { page, limit, window } = parameters.read((from) => ({
      page: Math.max(1, from.whole('page') ?? 1),
      limit: limitOf(from.whole('limit')),
      window: windowOf(from),
    }));
    const uuids = await this.messages.usersWithUnread(app.id, page, limit, window);
    const users = await this.profiles.findAllByUuid(app.id, uuids);
    return answer({ user_ids: users.map(({ profile }) => profile.userId) });
  }

  /** Users who do not exist are left out; those without unread messages have 0. */
  @Get('get_user_unread_count')
  @QiscusRoute(
    'secret',
    'query',
    'How many messages each of these users has not read',
    'user_ids!',
    'start_time',
    'end_time',
  )
  @QiscusResults({
    user_unread_count: {
      type: 'array',
      items: {
        type: 'object',
        properties: { unread_count: { type: 'integer' }, user_id: { type: 'string' } },
        required: ['unread_count', 'user_id'],
      },
    },
  })
  async counts(@CallingApp() app: App, @Parameters() parameters: QiscusParameters) {
    const { userIds, window } = parameters.read((from) => ({
      userIds: from.requiredTexts('user_ids', maxCounted),
      window: windowOf(from),
    }));
    const users = await this.profiles.findAll(app.id, userIds);
    const counts = await this.messages.unreadCounts(
      app.id,
      users.map(({ user }) => user.uuid),
      window,
    );
    return answer({
      user_unread_count: users.map(({ profile }, index) => ({
        unread_count: counts[index]?.unread ?? 0,
        user_id: profile.userId,
      })),
    });
  }
}

/** Both ends belong to the window, the last second as a whole. */
function windowOf(from: ParameterReader): { fromMs: number | null; untilMs: number | null } {
  const end = secondOf(from, 'end_time');
  return { fromMs: secondOf(from, 'start_time'), untilMs: end === null ? null : end + secondMs };
}

function secondOf(from: ParameterReader, name: string): number | null {
  const text = from.text(name);
  return text === undefined ? null : (parseSecond(text) ?? from.problem(name, 'must be YYYY-MM-DD hh:mm:ss', null));
}

function limitOf(limit = maxLimit): number {
  return limit < 1 || limit > maxLimit ? maxLimit : limit;
}
