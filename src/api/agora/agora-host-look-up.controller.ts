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

/** Where an app is served. */
export class AgoraServers {
  @ApiProperty({ example: 'org#app' })
  app_key!: string;

  @ApiProperty()
  rest!: AgoraHosts;

  @ApiProperty({ name: 'msync-wx', description: 'Where the WebSocket is' })
  'msync-wx'!: AgoraHosts;
}

/** What the vendor's SDKs ask first that were given no address: their vendor has a host of its own for it. */
@ApiTags('host look-up')
@Controller('easemob')
@OpenToEveryone()
export class AgoraHostLookUpController {
  constructor(
    private readonly apps: AppsService,
    private readonly limits: RateLimits,
  ) {}

  @Get('server.json')
  @ApiOperation({ summary: 'Where an app is served: this server' })
  @ApiQuery({ name: 'app_key', required: false, description: '`org#app`' })
  @ApiQuery({ name: 'app_id', required: false, description: 'The App ID, instead of `app_key`' })
  @ApiOkResponse({ type: AgoraServers })
  @ApiResponse({ status: '4XX', description: 'The call was refused: docs/errors.md', type: AgoraError })
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

  /** @throws AppError argument_invalid, app_not_found, app_disabled: as much as the token route tells */
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

/** @throws AppError request_malformed for a Host that is none */
function hostOf(origin: string): AgoraHost {
  if (!URL.canParse(origin)) throw new AppError('request_malformed');
  const { protocol, hostname, port } = new URL(origin);
  const [scheme, usual] = protocol === 'https:' ? ['https', 443] : ['http', 80];
  return { protocol: scheme, domain: hostname, port: port === '' ? usual : Number(port) };
}
