import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import {
  ApiBearerAuth,
  ApiBody,
  ApiExtraModels,
  ApiOperation,
  ApiQuery,
  ApiTags,
  getSchemaPath,
} from '@nestjs/swagger';
import { PresenceService } from '../../presence/presence.service.js';
import { RateLimit } from '../../rate-limit/rate-limit.decorator.js';
import { UsersService } from '../../users/users.service.js';
import { AccessBy } from '../../http/access.guard.js';
import { Repeatable } from '../../http/repeatable.decorator.js';
import { JsonBody } from '../../http/json-body.pipe.js';
import { AgoraAnswer } from './agora-answer.decorator.js';
import { AgoraAppTokenGuard } from './agora-app-token.guard.js';
import { AgoraCall, Call } from './agora-call.js';
import { pageOf } from './agora-page.js';
import { agoraPrefixes } from './agora-prefixes.js';
import {
  AgoraBatchStatusDto,
  AgoraResource,
  AgoraSession,
  toAgoraResource,
  toAgoraSession,
} from './agora-presence.dto.js';

const stateOfUser = {
  type: 'object',
  additionalProperties: { type: 'string', enum: ['online', 'offline'] },
  description: 'By the name as it was asked for',
};
const sessions = { type: 'array', items: { $ref: getSchemaPath(AgoraSession) } };
const complete = { type: 'boolean', description: 'False: some nodes could not be asked' };
const ending: Parameters<typeof AgoraAnswer> = [
  'uri',
  'timestamp',
  'organization',
  'application',
  'entities',
  'action',
  { data: { type: 'object', properties: { result: { type: 'boolean' } }, required: ['result'] } },
  'duration',
  'applicationName',
];

/** Who is online and who shall not be: docs/dialects/agora.md. Members stand in the order of the vendor's examples. */
@ApiTags('presence')
@ApiBearerAuth()
@ApiExtraModels(AgoraResource, AgoraSession)
@Controller(agoraPrefixes)
@AccessBy(AgoraAppTokenGuard)
export class AgoraPresenceController {
  constructor(
    private readonly presence: PresenceService,
    private readonly users: UsersService,
  ) {}

  @Get('users/:username/status')
  @RateLimit(100)
  @ApiOperation({ summary: 'Whether a user is online' })
  @ApiQuery({ name: 'detail', required: false, description: '`1`: with the sessions, and when this was true' })
  @AgoraAnswer('action', 'uri', 'entities', { data: stateOfUser }, 'timestamp', 'duration', 'count', {
    'sessions?': sessions,
    'as_of?': { type: 'integer', description: 'Unix milliseconds' },
    'complete?': complete,
  })
  async status(@Call() call: AgoraCall, @Param('username') username: string, @Query('detail') detail: unknown) {
    const { sessions, asOf, complete } = await this.presence.of(call.app.id, username);
    return {
      action: 'get',
      uri: call.uri(call.path),
      entities: [],
      data: { [username]: sessions.length > 0 ? 'online' : 'offline' },
      timestamp: call.timestamp,
      duration: call.duration,
      count: 0,
      ...(detail === '1' ? { sessions: sessions.map(toAgoraSession), as_of: asOf, complete } : {}),
    };
  }

  @Post('users/batch/status')
  @HttpCode(200)
  @RateLimit(50)
  @ApiOperation({ summary: 'Whether each of up to 100 users is online; unknown users are offline' })
  @ApiBody({ type: AgoraBatchStatusDto })
  @AgoraAnswer('action', { data: { type: 'array', items: stateOfUser } }, 'timestamp', 'duration')
  async batchStatus(
    @Call() call: AgoraCall,
    @Body(new JsonBody(AgoraBatchStatusDto)) { usernames }: AgoraBatchStatusDto,
  ) {
    const online = await this.presence.online(call.app.id, usernames);
    return {
      action: 'get batch user status',
      data: usernames.map((username, index) => ({ [username]: online[index] === true ? 'online' : 'offline' })),
      timestamp: call.timestamp,
      duration: call.duration,
    };
  }

  @Get('users/:username/disconnect')
  @RateLimit(100)
  @ApiOperation({ summary: 'Force a user offline: every session and every token of before ends' })
  @AgoraAnswer(...ending)
  @Repeatable()
  async disconnect(@Call() call: AgoraCall, @Param('username') username: string) {
    await this.users.forceOffline(call.app.id, username);
    return ended(call, 'get', true);
  }

  @Get('users/:username/resources')
  @RateLimit(100)
  @ApiOperation({ summary: 'The devices that a user is online with' })
  @AgoraAnswer(
    'path',
    'uri',
    'timestamp',
    'organization',
    'application',
    'entities',
    'action',
    { data: { type: 'array', items: { $ref: getSchemaPath(AgoraResource) } } },
    'duration',
    'applicationName',
  )
  async resources(@Call() call: AgoraCall, @Param('username') username: string) {
    const { sessions } = await this.presence.of(call.app.id, username);
    return {
      path: call.path,
      uri: call.uri(call.path),
      timestamp: call.timestamp,
      organization: call.app.org,
      application: call.app.id,
      entities: [],
      action: 'get',
      data: sessions.map(toAgoraResource),
      duration: call.duration,
      applicationName: call.app.name,
    };
  }

  @Delete('users/:username/disconnect/:resource')
  @RateLimit(100)
  @ApiOperation({ summary: 'Move one device of a user offline; no token ends' })
  @AgoraAnswer(...ending)
  @Repeatable()
  async disconnectDevice(
    @Call() call: AgoraCall,
    @Param('username') username: string,
    @Param('resource') resource: string,
  ) {
    return ended(call, 'delete', await this.presence.disconnectDevice(call.app.id, username, resource));
  }

  /** The vendor's Java SDK sends GET. */
  @Get('users/:username/disconnect/:resource')
  @RateLimit(100)
  @ApiOperation({ summary: 'The same by GET, as the Java SDK sends it' })
  @AgoraAnswer(...ending)
  @Repeatable()
  async disconnectDeviceByGet(
    @Call() call: AgoraCall,
    @Param('username') username: string,
    @Param('resource') resource: string,
  ) {
    return ended(call, 'get', await this.presence.disconnectDevice(call.app.id, username, resource));
  }

  @Post('token/users/:username/invalid')
  @HttpCode(200)
  @RateLimit(100)
  @ApiOperation({ summary: 'End every token and session of a user' })
  @AgoraAnswer(...ending)
  @Repeatable()
  async revokeTokens(@Call() call: AgoraCall, @Param('username') username: string) {
    await this.users.revokeTokens(call.app.id, username);
    return ended(call, 'post', true);
  }

  /** The spelling of the vendor's own test suite. */
  @Post('token/user/:username/invalid')
  @HttpCode(200)
  @RateLimit(100)
  @ApiOperation({ summary: 'The same, as the older documents spell it' })
  @AgoraAnswer(...ending)
  @Repeatable()
  revokeTokensOfUser(@Call() call: AgoraCall, @Param('username') username: string) {
    return this.revokeTokens(call, username);
  }

  @Get('online')
  @RateLimit(100)
  @ApiOperation({ summary: 'Who is online in the app, by name (not of the vendor)' })
  @ApiQuery({ name: 'limit', required: false, description: '1 to 100, default 10' })
  @ApiQuery({ name: 'cursor', required: false })
  @AgoraAnswer(
    'action',
    'params',
    'path',
    'uri',
    'entities',
    {
      data: {
        type: 'array',
        items: {
          type: 'object',
          properties: { username: { type: 'string' }, sessions },
          required: ['username', 'sessions'],
        },
      },
    },
    'timestamp',
    'duration',
    'cursor?',
    'count',
    { total: { type: 'integer' }, complete },
  )
  async online(@Call() call: AgoraCall, @Query() query: Record<string, unknown>) {
    const { limit, cursor } = pageOf(query);
    const page = await this.presence.list(call.app.id, limit, cursor);
    return {
      action: 'get',
      params: call.params,
      path: '/online',
      uri: call.uri('/online'),
      entities: [],
      data: page.users.map(({ username, sessions }) => ({ username, sessions: sessions.map(toAgoraSession) })),
      timestamp: call.timestamp,
      duration: call.duration,
      ...(page.cursor === null ? {} : { cursor: page.cursor }),
      count: page.users.length,
      total: page.total,
      complete: page.complete,
    };
  }
}

/** What all routes that end something answer. */
function ended(call: AgoraCall, action: 'get' | 'delete' | 'post', result: boolean) {
  return {
    uri: call.uri(call.path),
    timestamp: call.timestamp,
    organization: call.app.org,
    application: call.app.id,
    entities: [],
    action,
    data: { result },
    duration: call.duration,
    applicationName: call.app.name,
  };
}
