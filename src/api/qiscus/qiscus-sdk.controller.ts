import { Controller, Get, HttpCode, Post } from '@nestjs/common';
import { ApiExtraModels, ApiTags, getSchemaPath } from '@nestjs/swagger';
import type { App } from '../../apps/app.js';
import { IdentityTokensService } from '../../auth/identity-tokens.service.js';
import { PresenceService, maxStatusUsers } from '../../presence/presence.service.js';
import type { ProfiledUser } from '../../profiles/profile.js';
import { ProfilesService } from '../../profiles/profiles.service.js';
import { RateLimits } from '../../rate-limit/rate-limits.service.js';
import { Clock } from '../../clock/clock.js';
import { AccessBy } from '../../http/access.guard.js';
import { ClientNetwork } from '../../http/client-network.decorator.js';
import { QiscusAppGuard } from './qiscus-app.guard.js';
import { answer, CallingApp, Parameters } from './qiscus-call.js';
import { QiscusResults, QiscusRoute } from './qiscus-document.decorator.js';
import type { QiscusParameters } from './qiscus-parameters.js';
import { QiscusUserTokenGuard } from './qiscus-user-token.guard.js';
import { QiscusSdkUser, toQiscusSdkUser } from './qiscus-users.dto.js';

const syncIntervalMs = 5000;
const syncOnConnectMs = 10_000;

const text = { type: 'string' };
const whole = { type: 'integer' };
const off = { type: 'boolean', enum: [false] };
const userResults = { user: { $ref: getSchemaPath(QiscusSdkUser) } };

/** What the vendor's client SDKs call to log in: the web under `sdk`, the phones under `mobile`, the oldest neither. */
@ApiTags('qiscus client SDKs')
@ApiExtraModels(QiscusSdkUser)
@Controller(['api/v2/sdk', 'api/v2/mobile', 'api/v2'])
@AccessBy(QiscusAppGuard)
export class QiscusSdkController {
  constructor(
    private readonly profiles: ProfilesService,
    private readonly identities: IdentityTokensService,
    private readonly presence: PresenceService,
    private readonly limits: RateLimits,
    private readonly clock: Clock,
  ) {}

  /**
   * An empty address leaves a client with the one that it was given. Everything that would make it talk to the vendor's
   * broker or to rooms is off.
   */
  @Get('config')
  @QiscusRoute('nothing', 'query', 'What a client goes by')
  @QiscusResults({
    auto_refresh_token: off,
    base_url: text,
    broker_lb_url: text,
    broker_url: text,
    enable_event_report: off,
    enable_realtime: off,
    enable_realtime_check: off,
    enable_sync: off,
    enable_sync_event: off,
    extras: text,
    sync_interval: whole,
    sync_on_connect: whole,
  })
  config() {
    return answer({
      auto_refresh_token: false,
      base_url: '',
      broker_lb_url: '',
      broker_url: '',
      enable_event_report: false,
      enable_realtime: false,
      enable_realtime_check: false,
      enable_sync: false,
      enable_sync_event: false,
      extras: '{}',
      sync_interval: syncIntervalMs,
      sync_on_connect: syncOnConnectMs,
    });
  }

  @Post('auth/nonce')
  @HttpCode(200)
  @QiscusRoute('nothing', 'body', 'A nonce for an identity token')
  @QiscusResults({ expired_at: whole, nonce: text })
  nonce(@CallingApp() app: App) {
    const { nonce, expiresAtSeconds } = this.identities.issueNonce(app);
    return answer({ expired_at: expiresAtSeconds, nonce });
  }

  @Post('auth/verify_identity_token')
  @HttpCode(200)
  @QiscusRoute('nothing', 'body', 'Log in with an identity token', 'identity_token!')
  @QiscusResults(userResults)
  async loginByIdentity(@CallingApp() app: App, @Parameters() parameters: QiscusParameters) {
    const token = parameters.read((from) => from.requiredText('identity_token'));
    const { userId, name, avatarUrl, issuedAtSeconds } = await this.identities.verify(app, token);
    const details = { userId, displayName: name, avatarUrl };
    return this.loggedIn(app, await this.profiles.loginByIdentity(app, details, issuedAtSeconds));
  }

  @Post('login_or_register')
  @HttpCode(200)
  @QiscusRoute(
    'nothing',
    'body',
    'Log in with a password, or register',
    'email!',
    'password!',
    'username',
    'avatar_url',
    'extras',
  )
  @QiscusResults(userResults)
  async loginByPassword(
    @CallingApp() app: App,
    @ClientNetwork() network: string,
    @Parameters() parameters: QiscusParameters,
  ) {
    const { password, ...details } = parameters.read((from) => ({
      userId: from.requiredText('email'),
      password: from.requiredText('password'),
      displayName: from.text('username'),
      avatarUrl: from.text('avatar_url'),
      extras: from.object('extras'),
    }));
    const user = await this.limits.guess(app, details.userId, network, () =>
      this.profiles.loginByPassword(app, details, password),
    );
    return this.loggedIn(app, user);
  }

  @Post('refresh_user_token')
  @HttpCode(200)
  @QiscusRoute('nothing', 'body', 'A new token for a refresh token', 'user_id!', 'refresh_token!')
  @QiscusResults({ refresh_token: text, token: text, token_expires_at: { nullable: true, enum: [null] } })
  async refresh(@CallingApp() app: App, @ClientNetwork() network: string, @Parameters() parameters: QiscusParameters) {
    const { userId, shown } = parameters.read((from) => ({
      userId: from.requiredText('user_id'),
      shown: from.requiredText('refresh_token'),
    }));
    const { token, refreshToken } = await this.limits.guess(app, userId, network, () =>
      this.profiles.refresh(app, userId, shown),
    );
    return answer({ refresh_token: refreshToken, token, token_expires_at: null });
  }

  /** Who of these is online now: 1, or else 0. Nobody's last time is kept, so the time is the one of the answer. */
  @Post('users/status')
  @HttpCode(200)
  @AccessBy(QiscusUserTokenGuard)
  @QiscusRoute('token', 'body', 'Who of up to 100 users is online', 'user_ids!')
  @QiscusResults({
    user_status: {
      type: 'array',
      items: {
        type: 'object',
        properties: { email: text, status: { ...whole, enum: [0, 1] }, timestamp: whole },
        required: ['email', 'status', 'timestamp'],
      },
    },
  })
  async statuses(@CallingApp() app: App, @Parameters() parameters: QiscusParameters) {
    const userIds = parameters.read((from) => from.requiredTexts('user_ids', maxStatusUsers));
    const online = await this.presence.online(app.id, userIds);
    const timestamp = this.clock.nowSeconds();
    return answer({
      user_status: userIds.map((email, index) => ({ email, status: online[index] === true ? 1 : 0, timestamp })),
    });
  }

  /** The client forgets its token. It stays good: the user's other devices have the same one. */
  @Post('logout')
  @HttpCode(200)
  @AccessBy(QiscusUserTokenGuard)
  @QiscusRoute('token', 'body', 'Log out: the token stays good')
  @QiscusResults({})
  logout() {
    return answer({});
  }

  private async loggedIn(app: App, profiled: ProfiledUser) {
    return answer({ user: toQiscusSdkUser(app, profiled, await this.profiles.tokensOf(app, profiled.user)) });
  }
}
