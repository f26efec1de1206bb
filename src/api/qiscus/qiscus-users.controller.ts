import { Controller, Delete, Get, HttpCode, Post, Res } from '@nestjs/common';
import { ApiExtraModels, ApiTags, getSchemaPath } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { App } from '../../apps/app.js';
import { ProfilesService } from '../../profiles/profiles.service.js';
import { UsersService } from '../../users/users.service.js';
import { AccessBy } from '../../http/access.guard.js';
import { Repeatable } from '../../http/repeatable.decorator.js';
import { defaultOrder, parseOrderQuery } from './order-query.js';
import { answer, CallingApp, longAnswer, Parameters } from './qiscus-call.js';
import type { QiscusParameters } from './qiscus-parameters.js';
import { QiscusResults, QiscusRoute } from './qiscus-document.decorator.js';
import { QiscusServerGuard } from './qiscus-server.guard.js';
import { QiscusListedUser, QiscusUser, toQiscusListedUser, toQiscusUser } from './qiscus-users.dto.js';

const actor = 'sdk secret';
const defaultLimit = 20;
const maxLimit = 100;
/** How many of all users one answer holds; the rest are on the next pages. */
const maxShowAll = 10_000;
/** Changes of more users would hold up others for too long. */
const maxBatchSize = 500;

const text = { type: 'string' };
const whole = { type: 'integer' };
const userResults = { user: { $ref: getSchemaPath(QiscusUser) } };
const listResults = {
  meta: {
    type: 'object',
    properties: { total_data: whole, total_page: whole },
    required: ['total_data', 'total_page'],
  },
  users: { type: 'array', items: { $ref: getSchemaPath(QiscusListedUser) } },
};

/** The users of the vendor's server API: docs/dialects/qiscus.md. Members stand in the order of the alphabet. */
@ApiTags('qiscus users')
@ApiExtraModels(QiscusUser, QiscusListedUser)
@Controller('api/v2.1/rest')
@AccessBy(QiscusServerGuard)
export class QiscusUsersController {
  constructor(
    private readonly profiles: ProfilesService,
    private readonly users: UsersService,
  ) {}

  @Post('login_or_register')
  @HttpCode(200)
  @QiscusRoute(
    'secret',
    'body',
    'Register a user, or change the one there is',
    'user_id!',
    'username!',
    'password',
    'avatar_url',
    'extras',
  )
  @QiscusResults(userResults)
  @Repeatable()
  async loginOrRegister(@CallingApp() app: App, @Parameters() parameters: QiscusParameters) {
    const { password, ...details } = parameters.read((from) => ({
      userId: from.requiredText('user_id'),
      displayName: from.requiredText('username'),
      password: from.text('password'),
      avatarUrl: from.text('avatar_url'),
      extras: from.object('extras'),
    }));
    return answer({ user: toQiscusUser(await this.profiles.loginByServer(app, details, password ?? null)) });
  }

  @Get('user_profile')
  @QiscusRoute('secret', 'query', 'A user', 'user_id!')
  @QiscusResults(userResults)
  async profile(@CallingApp() app: App, @Parameters() parameters: QiscusParameters) {
    return answer({ user: toQiscusUser(await this.profiles.get(app.id, userIdOf(parameters))) });
  }

  @Get('get_user_token')
  @QiscusRoute('secret', 'query', 'The token of a user, the same until it is reset', 'user_id!')
  @QiscusResults({ token: text })
  async token(@CallingApp() app: App, @Parameters() parameters: QiscusParameters) {
    const { user } = await this.profiles.get(app.id, userIdOf(parameters));
    return answer({ token: (await this.profiles.tokensOf(app, user)).token });
  }

  @Post('reset_user_token')
  @HttpCode(200)
  @QiscusRoute('secret', 'body', 'A new token; the old one and its sessions end', 'user_id!')
  @QiscusResults({ token: text })
  @Repeatable()
  async resetToken(@CallingApp() app: App, @Parameters() parameters: QiscusParameters) {
    return answer({ token: (await this.profiles.resetToken(app, userIdOf(parameters))).token });
  }

  @Get('get_user_list')
  @QiscusRoute('secret', 'query', 'All users, page by page', 'page', 'limit', 'order_query', 'show_all')
  @QiscusResults(listResults)
  async list(
    @CallingApp() app: App,
    @Parameters() parameters: QiscusParameters,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const { page, limit, order, all } = parameters.read((from) => {
      const text = from.text('order_query');
      return {
        page: Math.max(1, from.whole('page') ?? 1),
        limit: limitOf(from.whole('limit')),
        order:
          text === undefined
            ? defaultOrder
            : (parseOrderQuery(text) ?? from.problem('order_query', 'must name columns to order by', defaultOrder)),
        all: from.flag('show_all'),
      };
    });
    const size = all ? maxShowAll : limit;
    const { users, total } = await this.profiles.listPage(app.id, order, page, size);
    // The vendor does not count the last page if it is not full.
    const pages = Math.floor(total / size);
    const meta = { total_data: total, total_page: all ? Math.max(1, pages) : pages };
    return longAnswer(reply, { meta }, 'users', users, toQiscusListedUser);
  }

  /** As the oldest documents have it. */
  @Post('get_user_list')
  @HttpCode(200)
  @QiscusRoute('secret', 'body', 'The same by POST', 'page', 'limit', 'order_query', 'show_all')
  @QiscusResults(listResults)
  listByPost(
    @CallingApp() app: App,
    @Parameters() parameters: QiscusParameters,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    return this.list(app, parameters, reply);
  }

  @Delete('deactivate_users')
  @QiscusRoute('secret', 'body', 'Ban users', 'user_ids!')
  @QiscusResults({ message: text })
  @Repeatable()
  async deactivate(@CallingApp() app: App, @Parameters() parameters: QiscusParameters) {
    await this.users.banAll(app.id, userIdsOf(parameters), actor);
    return answer({ message: 'successfully deactivate user' });
  }

  @Post('reactivate_users')
  @HttpCode(200)
  @QiscusRoute('secret', 'body', 'Lift bans', 'user_ids!')
  @QiscusResults({ message: text })
  @Repeatable()
  async reactivate(@CallingApp() app: App, @Parameters() parameters: QiscusParameters) {
    await this.users.unbanAll(app.id, userIdsOf(parameters), actor);
    return answer({ message: 'successfully reactivate user' });
  }
}

function userIdOf(parameters: QiscusParameters): string {
  return parameters.read((from) => from.requiredText('user_id'));
}

function userIdsOf(parameters: QiscusParameters): string[] {
  return parameters.read((from) => from.requiredTexts('user_ids', maxBatchSize));
}

/** More than 100 gives 20, as the vendor has it; so does what makes no sense. */
function limitOf(limit = defaultLimit): number {
  return limit < 1 || limit > maxLimit ? defaultLimit : limit;
}
