import { Controller, Get, Query, Req } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProperty, ApiQuery, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { AppsService } from '../../apps/apps.service.js';
import { AppError } from '../../errors/app-error.js';
import { OpenToEveryone } from '../../http/access.guard.js';
import { ClientNetwork } from '../../http/client-network.decorator.js';
import { RateLimits } from '../../rate-limit/rate-limits.service.js';
import { AgoraError } from './agora-route.decorator.js';
import { originOf } from './request-origin.js';

class AgoraHost {
  @ApiProperty({ enum: ['http', 'https'] })
  protocol!: string;

  @ApiProperty({ example: 'chat.example.com' })
  domain!: string;

  @ApiProperty({ example: 443 })
  port!: number;
}

class AgoraHosts {
  @ApiProperty({ type: [AgoraHost] })
  hosts!: AgoraHost[];
}

/** The hosts that serve an app. */
export class AgoraServers {
  @ApiProperty({ example: 'org#app' })
  app_key!: string;

  @ApiProperty()
  rest!: AgoraHosts;

  @ApiProperty({ name: 'msync-wx', description: 'The WebSocket endpoints' })
  'msync-wx'!: AgoraHosts;
}

/** The vendor's SDKs ask this first when configured without an address; the vendor has a dedicated host for it. */
@ApiTags('host look-up')
@Controller('easemob')
@OpenToEveryone()
export class AgoraHostLookUpController {
  constructor(
    private readonly apps: AppsService,
    private readonly limits: RateLimits,
  ) {}

  @Get('server.json')
  @ApiOperation({ summary: 'Look up the hosts that serve an app (always this server)' })
  @ApiQuery({ name: 'app_key', required: false, description: '`org#app`' })
  @ApiQuery({ name: 'app_id', required: false, description: 'The App ID, instead of `app_key`' })
  @ApiOkResponse({ type: AgoraServers })
  @ApiResponse({ status: '4XX', description: 'The request was rejected, see docs/errors.md', type: AgoraError })
  @ApiResponse({ status: '5XX', description: 'Try again later', type: AgoraError })
  async servers(
    @Req() request: FastifyRequest,
    @ClientNetwork() network: string,
    @Query('app_key') appKey: unknown,
    @Query('app_id') appId: unknown,
  ): Promise<AgoraServers> {
    await this.limits.admitLookUp(network);
    const { org, name } = await this.find(appKey, appId);
    const hosts = { hosts: [hostOf(originOf(request))] };
    return { app_key: `${org}#${name}`, rest: hosts, 'msync-wx': hosts };
  }

  /** @throws AppError argument_invalid, app_not_found, app_disabled: reveals no more than the token route */
  private async find(appKey: unknown, appId: unknown) {
    const named = typeof appKey === 'string' && appKey !== '' ? appKey : appId;
    if (typeof named !== 'string' || named === '')
      throw new AppError('argument_invalid', { detail: 'app_key (org#app) or app_id is required' });
    const [org = '', name = '', ...rest] = named.split('#');
    const app = await (named === appKey
      ? this.apps.find(org, rest.length === 0 ? name : '')
      : this.apps.findByAppId(named));
    if (app === null) throw new AppError('app_not_found', { detail: named.replace('#', '/') });
    if (app.disabled) throw new AppError('app_disabled');
    return app;
  }
}

/** @throws AppError request_malformed for an invalid Host */
function hostOf(origin: string): AgoraHost {
  if (!URL.canParse(origin)) throw new AppError('request_malformed');
  const { protocol, hostname, port } = new URL(origin);
  const [scheme, usual] = protocol === 'https:' ? ['https', 443] : ['http', 80];
  return { protocol: scheme, domain: hostname, port: port === '' ? usual : Number(port) };
}
