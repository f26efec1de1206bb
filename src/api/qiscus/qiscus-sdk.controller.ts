import { Controller } from '@nestjs/common';
import { ApiExtraModels, ApiTags, getSchemaPath } from '@nestjs/swagger';
import { IdentityTokensService } from '../../auth/identity-tokens.service.js';
import { Clock } from '../../clock/clock.js';
import { ClientNetwork } from '../../http/client-network.decorator.js';
import { PresenceService } from '../../presence/presence.service.js';
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
} from './qiscus-parameters.dto.js';
import { QiscusRoute } from './qiscus-route.decorator.js';
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
  @QiscusRoute('GET config', 'What a client goes by', {
    by: 'nothing',
    results: {
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
    },
  })
  config(@Call() call: QiscusCall) {
    return call.answer({
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

  @QiscusRoute('POST auth/nonce', 'A nonce for an identity token', {
    by: 'nothing',
    results: { expired_at: whole, nonce: text },
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
    return this.loggedIn(call, await this.profiles.loginByIdentity(call.app, details, issuedAtSeconds));
  }

  @QiscusRoute('POST login_or_register', 'Log in with a password, or register', { by: 'nothing', results: userResults })
  async loginByPassword(
    @Call() call: QiscusCall,
    @ClientNetwork() network: string,
    @Parameters(PasswordLoginParameters) sent: PasswordLoginParameters,
  ) {
    const { email: userId, password, username: displayName, avatar_url: avatarUrl, extras } = sent;
    const user = await this.limits.guess(call.app, userId, network, () =>
      this.profiles.loginByPassword(call.app, { userId, displayName, avatarUrl, extras }, password),
    );
    return this.loggedIn(call, user);
  }

  @QiscusRoute('POST refresh_user_token', 'A new token for a refresh token', {
    by: 'nothing',
    results: { refresh_token: text, token: text, token_expires_at: { nullable: true, enum: [null] } },
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

  /** 1 for a user who is online now, or else 0. No last time is kept, so the time is the one of the answer. */
  @QiscusRoute('POST users/status', 'Which of up to 100 users are online', {
    by: 'token',
    results: {
      user_status: {
        type: 'array',
        items: {
          type: 'object',
          properties: { email: text, status: { ...whole, enum: [0, 1] }, timestamp: whole },
          required: ['email', 'status', 'timestamp'],
        },
      },
    },
  })
  async statuses(@Call() call: QiscusCall, @Parameters(StatusParameters) { user_ids }: StatusParameters) {
    const online = await this.presence.online(call.app.id, user_ids);
    const timestamp = this.clock.nowSeconds();
    return call.answer({
      user_status: user_ids.map((email, index) => ({ email, status: online[index] === true ? 1 : 0, timestamp })),
    });
  }

  /** The client forgets its token. It stays good: the user's other devices have the same one. */
  @QiscusRoute('POST logout', 'Log out: the token stays good', { by: 'token', results: {} })
  logout(@Call() call: QiscusCall) {
    return call.answer({});
  }

  private async loggedIn(call: QiscusCall, profiled: ProfiledUser) {
    const tokens = await this.profiles.tokensOf(call.app, profiled.user);
    return call.answer({ user: toQiscusSdkUser(call.app, profiled, tokens) });
  }
}
