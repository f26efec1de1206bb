import { Controller } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { ProfilesService } from '../../profiles/profiles.service.js';
import { UserRevocationsService } from '../../users/user-revocations.service.js';
import { Call, QiscusCall } from './qiscus-call.js';
import { qiscusExamples } from './qiscus-examples.js';
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

const origin = { by: 'sdk secret', source: 'qiscus' } as const;
/** Maximum users per answer when all are requested; the rest are on the next pages. */
const maxShowAll = 10_000;

const userResults = { user: QiscusUser };
const listResults = { meta: QiscusListMeta, users: [QiscusListedUser] } as const;

/** The users of the vendor's server API: docs/dialects/qiscus.md. Members are in alphabetical order. */
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
    example: qiscusExamples.loginOrRegister,
  })
  loginOrRegister(@Call() call: QiscusCall, @Parameters(ServerLoginParameters) sent: ServerLoginParameters) {
    const login = () => this.profiles.loginByServer(call.app, toLoginDetails(sent), sent.password ?? null);
    return call.once(async () => call.answer({ user: toQiscusUser(await login()) }));
  }

  @QiscusRoute('GET user_profile', 'A user', {
    by: 'secret',
    results: userResults,
    example: qiscusExamples.profile,
  })
  async profile(@Call() call: QiscusCall, @Parameters(UserIdParameters) { user_id }: UserIdParameters) {
    return call.answer({ user: toQiscusUser(await this.profiles.get(call.app.id, user_id)) });
  }

  @QiscusRoute('GET get_user_token', 'The token of a user, the same until it is reset', {
    by: 'secret',
    results: { token: String },
    example: qiscusExamples.token,
  })
  async token(@Call() call: QiscusCall, @Parameters(UserIdParameters) { user_id }: UserIdParameters) {
    const { user } = await this.profiles.get(call.app.id, user_id);
    return call.answer({ token: (await this.profiles.tokensOf(call.app, user)).token });
  }

  @QiscusRoute('POST reset_user_token', 'A new token; the old one and its sessions end', {
    by: 'secret',
    idempotent: true,
    results: { token: String },
    example: qiscusExamples.token,
  })
  resetToken(@Call() call: QiscusCall, @Parameters(UserIdParameters) { user_id }: UserIdParameters) {
    return call.once(async () => call.answer({ token: (await this.profiles.resetToken(call.app, user_id)).token }));
  }

  @QiscusRoute('GET get_user_list', 'All users, page by page', {
    by: 'secret',
    results: listResults,
    example: qiscusExamples.list,
  })
  async list(@Call() call: QiscusCall, @Parameters(UserListParameters) sent: UserListParameters) {
    const size = sent.show_all ? maxShowAll : sent.limit;
    const { users, total } = await this.profiles.listPage(call.app.id, sent.order_query, sent.page, size);
    const meta = toQiscusListMeta(total, size, sent.show_all ? 1 : 0);
    return call.longAnswer({ meta }, 'users', users, toQiscusListedUser);
  }

  /** As in the oldest documents. */
  @QiscusRoute('POST get_user_list', 'The same by POST', {
    by: 'secret',
    results: listResults,
    example: qiscusExamples.list,
  })
  listByPost(@Call() call: QiscusCall, @Parameters(UserListParameters) sent: UserListParameters) {
    return this.list(call, sent);
  }

  @QiscusRoute('DELETE deactivate_users', 'Ban users', {
    by: 'secret',
    idempotent: true,
    results: { message: String },
    example: qiscusExamples.deactivate,
  })
  deactivate(@Call() call: QiscusCall, @Parameters(UserIdsParameters) { user_ids }: UserIdsParameters) {
    return call.once(async () => {
      await this.revocations.banAll(call.app.id, user_ids, origin);
      return call.answer({ message: 'successfully deactivate user' });
    });
  }

  @QiscusRoute('POST reactivate_users', 'Lift bans', {
    by: 'secret',
    idempotent: true,
    results: { message: String },
    example: qiscusExamples.reactivate,
  })
  reactivate(@Call() call: QiscusCall, @Parameters(UserIdsParameters) { user_ids }: UserIdsParameters) {
    return call.once(async () => {
      await this.revocations.unbanAll(call.app.id, user_ids, origin);
      return call.answer({ message: 'successfully reactivate user' });
    });
  }
}
