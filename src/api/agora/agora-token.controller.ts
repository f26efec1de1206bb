import { Controller, Req } from '@nestjs/common';
import { ApiTags, getSchemaPath } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { checkAppCredentials } from '../../auth/app-credentials.js';
import { TokensService } from '../../auth/tokens.service.js';
import { AppError } from '../../errors/app-error.js';
import { RateLimits } from '../../rate-limit/rate-limits.service.js';
import type { User } from '../../users/user.js';
import { UsersService } from '../../users/users.service.js';
import { AccessBy } from '../../http/access.guard.js';
import { ClientNetwork } from '../../http/client-network.decorator.js';
import { bearerOf } from '../../http/bearer.js';
import { JsonBody } from '../../http/json-body.pipe.js';
import { AgoraAppGuard } from './agora-app.guard.js';
import { AgoraCall, Call } from './agora-call.js';
import { agoraPrefixes } from './agora-controller.decorator.js';
import { tokenExamples } from './agora-examples.js';
import { AgoraRoute } from './agora-route.decorator.js';
import { RequestAgoraTokenDto } from './agora-token.dto.js';
import { AgoraUser, toAgoraUser } from './agora-users.dto.js';

const tokensPerSecond = 300;

/** `POST …/token`: credentials are in the body, so anyone may call; only calls with valid credentials are counted. */
@ApiTags('tokens')
@Controller(agoraPrefixes)
@AccessBy(AgoraAppGuard)
export class AgoraTokenController {
  constructor(
    private readonly tokens: TokensService,
    private readonly users: UsersService,
    private readonly limits: RateLimits,
  ) {}

  @AgoraRoute(
    'POST token',
    'Issue a token: for an app, for a user by password or name, or in exchange for a 007 token',
    {
      limit: null,
      // None for app credentials or a password; an app token for a name, an AccessToken2 for an exchange.
      security: [{}, { bearer: [] }],
      answer: 'application? access_token expires_in? expire_timestamp? user?',
      schemas: {
        application: { type: 'string', format: 'uuid', description: 'Grant client_credentials only' },
        access_token: { type: 'string' },
        expires_in: { type: 'integer', description: 'Seconds; for every grant except agora' },
        expire_timestamp: { type: 'integer', description: 'Unix milliseconds; for the grant agora' },
        user: { $ref: getSchemaPath(AgoraUser) },
      },
      examples: tokenExamples.request,
    },
  )
  request(
    @Call() call: AgoraCall,
    @Req() request: FastifyRequest,
    @ClientNetwork() network: string,
    @JsonBody(RequestAgoraTokenDto) body: RequestAgoraTokenDto,
  ) {
    switch (body.grant_type) {
      case 'client_credentials':
        return this.byCredentials(call, body);
      case 'password':
        return this.byPassword(call, body, network);
      case 'inherit':
        return this.byName(call, body, bearerOf(request));
      case 'agora':
        return this.byAccessToken2(call, bearerOf(request));
      default:
        throw new AppError('grant_unknown', {
          detail: 'grant_type must be client_credentials, password, inherit or agora',
        });
    }
  }

  private async byCredentials({ app }: AgoraCall, body: RequestAgoraTokenDto) {
    checkAppCredentials(app, body.client_id ?? '', body.client_secret ?? '');
    await this.admit(app);
    const token = this.tokens.issueAppToken(app, ttlOf(body));
    return { application: app.id, access_token: token.accessToken, expires_in: token.expiresInSeconds };
  }

  private async byPassword({ app }: AgoraCall, body: RequestAgoraTokenDto, network: string) {
    const username = required(body.username, 'username');
    const password = required(body.password, 'password');
    const user = await this.limits.guess(app, username, network, () =>
      this.users.authenticate(app.id, username, password),
    );
    await this.admit(app);
    return this.userToken({ app }, user, body);
  }

  private async byName(call: AgoraCall, body: RequestAgoraTokenDto, bearer: string) {
    const { app } = call;
    this.tokens.authenticateApp(app, bearer);
    const username = required(body.username, 'username');
    // Validated before registration: a refused request must not change anything.
    ttlOf(body);
    await this.admit(app);
    const user =
      body.autoCreateUser === true
        ? await call.asServer(() => this.users.getOrRegister(app, username))
        : await this.users.get(app.id, username);
    return this.userToken({ app }, user, body);
  }

  private async byAccessToken2({ app }: AgoraCall, bearer: string) {
    const token = await this.tokens.exchange(app, bearer);
    await this.admit(app);
    return { access_token: token.accessToken, expire_timestamp: token.expiresAtSeconds * 1000 };
  }

  private userToken({ app }: Pick<AgoraCall, 'app'>, user: User, body: RequestAgoraTokenDto) {
    const token = this.tokens.issueUserToken(app, user, ttlOf(body));
    return { access_token: token.accessToken, expires_in: token.expiresInSeconds, user: toAgoraUser(user) };
  }

  private async admit(app: AgoraCall['app']): Promise<void> {
    const decision = await this.limits.admit(app, 'POST token', tokensPerSecond, 'own');
    if (decision !== null && !decision.allowed) throw this.limits.rejection('POST token', decision);
  }
}

/** @throws AppError argument_invalid */
function required(value: string | null | undefined, member: string): string {
  if (value === undefined || value === null || value === '')
    throw new AppError('argument_invalid', { detail: `${member} is required` });
  return value;
}

/** @throws AppError argument_invalid */
function ttlOf({ ttl }: RequestAgoraTokenDto): number | undefined {
  if (ttl === undefined || ttl === null || ttl === '') return undefined;
  if (
    (typeof ttl === 'number' && Number.isSafeInteger(ttl) && ttl >= 0) ||
    (typeof ttl === 'string' && /^\d{1,15}$/.test(ttl))
  )
    return Number(ttl);
  throw new AppError('argument_invalid', { detail: 'ttl must be a whole number of seconds, 0 for the longest life' });
}
