import { Controller } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { IdentityTokensService } from '../../auth/identity-tokens.service.js';
import { ClientNetwork } from '../../http/client-network.decorator.js';
import { LastSeenService } from '../../last-seen/last-seen.service.js';
import type { ProfiledUser } from '../../profiles/profile.js';
import { ProfilesService } from '../../profiles/profiles.service.js';
import { RateLimits } from '../../rate-limit/rate-limits.service.js';
import { Call, QiscusCall } from './qiscus-call.js';
import { Parameters } from './qiscus-parameter.decorators.js';
import {
  IdentityLoginParameters,
  PasswordLoginParameters,
  RefreshParameters,
  StatusParameters,
  toLoginDetailsByEmail,
} from './qiscus-parameters.dto.js';
import { QiscusRoute } from './qiscus-route.decorator.js';
import {
  QiscusConfig,
  QiscusSdkUser,
  QiscusUserStatus,
  toQiscusSdkUser,
  toQiscusUserStatuses,
} from './qiscus-sdk.dto.js';

const userResults = { user: QiscusSdkUser };

/** Login routes of the vendor's client SDKs: web under `sdk`, phones under `mobile`, the oldest under neither. */
@ApiTags('qiscus client SDKs')
@Controller(['api/v2/sdk', 'api/v2/mobile', 'api/v2'])
export class QiscusSdkController {
  constructor(
    private readonly profiles: ProfilesService,
    private readonly identities: IdentityTokensService,
    private readonly lastSeen: LastSeenService,
    private readonly limits: RateLimits,
  ) {}

  @QiscusRoute('GET config', 'Get the client configuration', { by: 'nothing', results: QiscusConfig })
  config(@Call() call: QiscusCall) {
    return call.answer(new QiscusConfig());
  }

  @QiscusRoute('POST auth/nonce', 'Get a nonce for an identity token', {
    by: 'nothing',
    results: { expired_at: Number, nonce: String },
  })
  nonce(@Call() call: QiscusCall) {
    const { nonce, expiresAtSeconds } = this.identities.issueNonce(call.app);
    return call.answer({ expired_at: expiresAtSeconds, nonce });
  }

  @QiscusRoute('POST auth/verify_identity_token', 'Log in with an identity token', {
    by: 'nothing',
    results: userResults,
  })
  async loginByIdentity(@Call() call: QiscusCall, @Parameters(IdentityLoginParameters) sent: IdentityLoginParameters) {
    const { userId, name, avatarUrl, issuedAtSeconds } = await this.identities.verify(call.app, sent.identity_token);
    const details = { userId, displayName: name, avatarUrl };
    const login = () => this.profiles.loginByIdentity(call.app, details, issuedAtSeconds);
    return this.loggedIn(call, await call.asUser(userId, login));
  }

  @QiscusRoute('POST login_or_register', 'Log in with a password, registering the user if necessary', {
    by: 'nothing',
    results: userResults,
  })
  async loginByPassword(
    @Call() call: QiscusCall,
    @ClientNetwork() network: string,
    @Parameters(PasswordLoginParameters) sent: PasswordLoginParameters,
  ) {
    const user = await this.limits.guess(call.app, sent.email, network, () =>
      call.asUser(sent.email, () =>
        this.profiles.loginByPassword(call.app, toLoginDetailsByEmail(sent), sent.password),
      ),
    );
    return this.loggedIn(call, user);
  }

  @QiscusRoute('POST refresh_user_token', 'Exchange a refresh token for a new token', {
    by: 'nothing',
    results: { refresh_token: String, token: String, token_expires_at: { nullable: true, enum: [null] } },
  })
  async refresh(
    @Call() call: QiscusCall,
    @ClientNetwork() network: string,
    @Parameters(RefreshParameters) sent: RefreshParameters,
  ) {
    const { token, refreshToken } = await this.limits.guess(call.app, sent.user_id, network, () =>
      this.profiles.refresh(call.app, sent.user_id, sent.refresh_token),
    );
    return call.answer({ refresh_token: refreshToken, token, token_expires_at: null });
  }

  @QiscusRoute('POST users/status', 'Get the online status of up to 100 users', {
    by: 'token',
    results: { user_status: [QiscusUserStatus] },
  })
  async statuses(@Call() call: QiscusCall, @Parameters(StatusParameters) { user_ids }: StatusParameters) {
    const statuses = await this.lastSeen.statusesOf(call.app.id, user_ids);
    return call.answer({ user_status: toQiscusUserStatuses(user_ids, statuses) });
  }

  /** The client forgets its token, which stays valid: the user's other devices share it. */
  @QiscusRoute('POST logout', 'Log out; the token remains valid', { by: 'token', results: {} })
  logout(@Call() call: QiscusCall) {
    return call.answer({});
  }

  private async loggedIn(call: QiscusCall, profiled: ProfiledUser) {
    const tokens = await this.profiles.tokensOf(call.app, profiled.user);
    return call.answer({ user: toQiscusSdkUser(call.app, profiled, tokens) });
  }
}
