import { Controller } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { ProfiledUser } from '../../profiles/profile.js';
import { ProfilesService } from '../../profiles/profiles.service.js';
import { Call, QiscusCall } from './qiscus-call.js';
import { Parameters } from './qiscus-parameter.decorators.js';
import { OwnProfileParameters, toProfileDetails, UserSearchParameters } from './qiscus-parameters.dto.js';
import { QiscusRoute } from './qiscus-route.decorator.js';
import { QiscusSdkUser, toQiscusSdkUser } from './qiscus-sdk.dto.js';
import { QiscusListedUser, QiscusListMeta, toQiscusListedUser, toQiscusListMeta } from './qiscus-users.dto.js';

const ownResults = { user: QiscusSdkUser };

/** What a user logged in with a client SDK sees and changes: their own profile and the app's users. */
@ApiTags('qiscus client SDKs')
@Controller(['api/v2/sdk', 'api/v2/mobile'])
export class QiscusSdkUsersController {
  constructor(private readonly profiles: ProfilesService) {}

  @QiscusRoute('GET my_profile', 'Get the profile of the caller', { by: 'token', results: ownResults })
  async ownProfile(@Call() call: QiscusCall) {
    return this.own(call, await this.profiles.profileOf(call.user));
  }

  @QiscusRoute('PATCH my_profile', 'Update the profile of the caller', {
    by: 'token',
    idempotent: true,
    results: ownResults,
  })
  changeOwnProfile(@Call() call: QiscusCall, @Parameters(OwnProfileParameters) sent: OwnProfileParameters) {
    const change = () => this.profiles.update(call.app, call.user, toProfileDetails(sent));
    return call.once(async () => this.own(call, await change()));
  }

  @QiscusRoute('GET get_user_list', 'List or search the users of the app, by page', {
    by: 'token',
    results: { meta: QiscusListMeta, users: [QiscusListedUser] },
  })
  async list(@Call() call: QiscusCall, @Parameters(UserSearchParameters) sent: UserSearchParameters) {
    const { order_query: order, page, limit, query } = sent;
    const { users, total } = await this.profiles.listPage(call.app.id, order, page, limit, query);
    return call.longAnswer({ meta: toQiscusListMeta(total, limit) }, 'users', users, toQiscusListedUser);
  }

  private async own(call: QiscusCall, profiled: ProfiledUser) {
    const tokens = await this.profiles.tokensOfHolder(call.app, profiled.user, call.userToken);
    return call.answer({ user: toQiscusSdkUser(call.app, profiled, tokens) });
  }
}
