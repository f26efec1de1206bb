import { Controller } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { ProfiledUser } from '../../profiles/profile.js';
import { ProfilesService } from '../../profiles/profiles.service.js';
import { Call, QiscusCall } from './qiscus-call.js';
import { QiscusOlderUser, toQiscusOlderUser } from './qiscus-older-users.dto.js';
import { Parameters } from './qiscus-parameter.decorators.js';
import { OlderLoginParameters, toLoginDetailsByEmail, UserEmailParameters } from './qiscus-parameters.dto.js';
import { QiscusRoute } from './qiscus-route.decorator.js';

const results = { user: QiscusOlderUser };

/** The older server API, version 2: different names, and every answer is the user with its token. */
@ApiTags('qiscus users, version 2')
@Controller('api/v2/rest')
export class QiscusOlderUsersController {
  constructor(private readonly profiles: ProfilesService) {}

  @QiscusRoute('POST login_or_register', 'Register a user, or update an existing one', {
    by: 'secret',
    idempotent: true,
    results,
  })
  loginOrRegister(@Call() call: QiscusCall, @Parameters(OlderLoginParameters) sent: OlderLoginParameters) {
    const login = () => this.profiles.loginByServer(call.app, toLoginDetailsByEmail(sent), sent.password ?? null);
    return call.once(async () => this.answer(call, await login()));
  }

  @QiscusRoute('GET user_profile', 'Get a user, including the token', { by: 'secret', results })
  async profile(@Call() call: QiscusCall, @Parameters(UserEmailParameters) { user_email }: UserEmailParameters) {
    return this.answer(call, await this.profiles.get(call.app.id, user_email));
  }

  @QiscusRoute('POST reset_user_token', 'Reset the token of a user and end the sessions of the old one', {
    by: 'secret',
    idempotent: true,
    results,
  })
  resetToken(@Call() call: QiscusCall, @Parameters(UserEmailParameters) { user_email }: UserEmailParameters) {
    return call.once(async () => {
      await this.profiles.resetToken(call.app, user_email);
      return this.answer(call, await this.profiles.get(call.app.id, user_email));
    });
  }

  private async answer(call: QiscusCall, profiled: ProfiledUser) {
    const { token } = await this.profiles.tokensOf(call.app, profiled.user);
    return call.answer({ user: toQiscusOlderUser(call.app, profiled, token) });
  }
}
