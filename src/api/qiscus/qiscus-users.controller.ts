import { Controller } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { ProfilesService } from '../../profiles/profiles.service.js';
import { UserRevocationsService } from '../../users/user-revocations.service.js';
import { Call, QiscusCall } from './qiscus-call.js';
import { Parameters } from './qiscus-parameter.decorators.js';
import {
  ServerLoginParameters,
  toLoginDetails,
  UserIdParameters,
  UserIdsParameters,
  UserListParameters,
} from './qiscus-parameters.dto.js';
import { QiscusRoute } from './qiscus-route.decorator.js';
import {
  QiscusListedUser,
  QiscusListMeta,
  QiscusUser,
  toQiscusListedUser,
  toQiscusListMeta,
  toQiscusUser,
} from './qiscus-users.dto.js';

const actor = 'sdk secret';
/** How many of all users one answer holds; the rest are on the next pages. */
const maxShowAll = 10_000;

const userResults = { user: QiscusUser };
const listResults = { meta: QiscusListMeta, users: [QiscusListedUser] } as const;
const user_id = 'guest1@example.com';
const user_ids = [user_id, 'guest2@example.com'];
const exampleUser: QiscusUser = {
  active: true,
  avatar_url: 'https://images.example.com/guest1.jpg',
  extras: { team: 'red' },
  user_id,
  username: 'First guest',
};
const tokenExample = { parameters: { user_id }, results: { token: 'Q3vR8mZk1TtYb6WnXc0L' } };
const listExample = {
  parameters: { page: 1, limit: 2 },
  results: {
    meta: { total_data: 5, total_page: 2 },
    users: [exampleListedUser(1, 'First guest'), exampleListedUser(2, 'Second guest')],
  },
};

/** The users of the vendor's server API: docs/dialects/qiscus.md. Members stand in the order of the alphabet. */
@ApiTags('qiscus users')
@Controller('api/v2.1/rest')
export class QiscusUsersController {
  constructor(
    private readonly profiles: ProfilesService,
    private readonly revocations: UserRevocationsService,
  ) {}

  @QiscusRoute('POST login_or_register', 'Register a user, or change the one there is', {
    by: 'secret',
    idempotent: true,
    results: userResults,
    example: {
      parameters: {
        user_id,
        username: exampleUser.username,
        password: 'a password',
        avatar_url: exampleUser.avatar_url,
        extras: exampleUser.extras,
      },
      results: { user: exampleUser },
    },
  })
  loginOrRegister(@Call() call: QiscusCall, @Parameters(ServerLoginParameters) sent: ServerLoginParameters) {
    const login = () => this.profiles.loginByServer(call.app, toLoginDetails(sent), sent.password ?? null);
    return call.once(async () => call.answer({ user: toQiscusUser(await login()) }));
  }

  @QiscusRoute('GET user_profile', 'A user', {
    by: 'secret',
    results: userResults,
    example: { parameters: { user_id }, results: { user: exampleUser } },
  })
  async profile(@Call() call: QiscusCall, @Parameters(UserIdParameters) { user_id }: UserIdParameters) {
    return call.answer({ user: toQiscusUser(await this.profiles.get(call.app.id, user_id)) });
  }

  @QiscusRoute('GET get_user_token', 'The token of a user, the same until it is reset', {
    by: 'secret',
    results: { token: String },
    example: tokenExample,
  })
  async token(@Call() call: QiscusCall, @Parameters(UserIdParameters) { user_id }: UserIdParameters) {
    const { user } = await this.profiles.get(call.app.id, user_id);
    return call.answer({ token: (await this.profiles.tokensOf(call.app, user)).token });
  }

  @QiscusRoute('POST reset_user_token', 'A new token; the old one and its sessions end', {
    by: 'secret',
    idempotent: true,
    results: { token: String },
    example: tokenExample,
  })
  resetToken(@Call() call: QiscusCall, @Parameters(UserIdParameters) { user_id }: UserIdParameters) {
    return call.once(async () => call.answer({ token: (await this.profiles.resetToken(call.app, user_id)).token }));
  }

  @QiscusRoute('GET get_user_list', 'All users, page by page', {
    by: 'secret',
    results: listResults,
    example: listExample,
  })
  async list(@Call() call: QiscusCall, @Parameters(UserListParameters) sent: UserListParameters) {
    const size = sent.show_all ? maxShowAll : sent.limit;
    const { users, total } = await this.profiles.listPage(call.app.id, sent.order_query, sent.page, size);
    const meta = toQiscusListMeta(total, size, sent.show_all ? 1 : 0);
    return call.longAnswer({ meta }, 'users', users, toQiscusListedUser);
  }

  /** As the oldest documents have it. */
  @QiscusRoute('POST get_user_list', 'The same by POST', { by: 'secret', results: listResults, example: listExample })
  listByPost(@Call() call: QiscusCall, @Parameters(UserListParameters) sent: UserListParameters) {
    return this.list(call, sent);
  }

  @QiscusRoute('DELETE deactivate_users', 'Ban users', {
    by: 'secret',
    idempotent: true,
    results: { message: String },
    example: { parameters: { user_ids }, results: { message: 'successfully deactivate user' } },
  })
  deactivate(@Call() call: QiscusCall, @Parameters(UserIdsParameters) { user_ids }: UserIdsParameters) {
    return call.once(async () => {
      await this.revocations.banAll(call.app.id, user_ids, actor);
      return call.answer({ message: 'successfully deactivate user' });
    });
  }

  @QiscusRoute('POST reactivate_users', 'Lift bans', {
    by: 'secret',
    idempotent: true,
    results: { message: String },
    example: { parameters: { user_ids }, results: { message: 'successfully reactivate user' } },
  })
  reactivate(@Call() call: QiscusCall, @Parameters(UserIdsParameters) { user_ids }: UserIdsParameters) {
    return call.once(async () => {
      await this.revocations.unbanAll(call.app.id, user_ids, actor);
      return call.answer({ message: 'successfully reactivate user' });
    });
  }
}

function exampleListedUser(number: number, name: string): QiscusListedUser {
  return {
    active: true,
    avatar_url: `https://images.example.com/guest${number}.jpg`,
    created_at: `2025-11-26T12:00:0${number}.123000Z`,
    email: `guest${number}@example.com`,
    extras: { team: 'red' },
    id: 763173274103840 + number,
    name,
    updated_at: `2025-11-26T12:00:0${number}.123000Z`,
    username: name,
  };
}
