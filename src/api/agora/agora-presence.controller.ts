import { Param, Query } from '@nestjs/common';
import { ApiExtraModels, ApiQuery, getSchemaPath } from '@nestjs/swagger';
import { JsonBody } from '../../http/json-body.pipe.js';
import { PresenceService } from '../../presence/presence.service.js';
import { UserRevocationsService } from '../../users/user-revocations.service.js';
import { AgoraCall, Call } from './agora-call.js';
import { AgoraController } from './agora-controller.decorator.js';
import { AgoraOwnUserGuard } from './agora-own-user.guard.js';
import { presenceExamples } from './agora-examples.js';
import { type AgoraPage, Page } from './agora-page.js';
import {
  AgoraBatchStatusDto,
  AgoraResource,
  AgoraSession,
  toAgoraResource,
  toAgoraSession,
} from './agora-presence.dto.js';
import { AgoraRoute, type AgoraRouteOptions } from './agora-route.decorator.js';

const statusByName = {
  type: 'object',
  additionalProperties: { type: 'string', enum: ['online', 'offline'] },
  description: 'Keyed by the name as written in the request',
};
const sessions = { type: 'array', items: { $ref: getSchemaPath(AgoraSession) } };
const complete = { type: 'boolean', description: 'False if some nodes could not be reached' };
const usersWithSessions = {
  type: 'array',
  items: {
    type: 'object',
    properties: { username: { type: 'string' }, sessions },
    required: ['username', 'sessions'],
  },
};
/** Routes that end sessions or tokens. */
const ending: AgoraRouteOptions = {
  idempotent: true,
  answer: 'uri timestamp organization application entities action data duration applicationName',
  schemas: { data: { type: 'object', properties: { result: { type: 'boolean' } }, required: ['result'] } },
};

/** Online status and forced logout: docs/dialects/agora.md. Members are in the order of the vendor's examples. */
@AgoraController('presence')
@ApiExtraModels(AgoraResource, AgoraSession)
export class AgoraPresenceController {
  constructor(
    private readonly presence: PresenceService,
    private readonly revocations: UserRevocationsService,
  ) {}

  @AgoraRoute('GET users/:username/disconnect', 'Force a user offline and end all their sessions and tokens', {
    ...ending,
    examples: presenceExamples.disconnect,
  })
  disconnect(@Call() call: AgoraCall, @Param('username') username: string) {
    return call.once(async () => {
      await this.revocations.forceOffline(call.app.id, username);
      return call.answer({ data: { result: true } });
    });
  }

  @AgoraRoute('GET users/:username/status', 'Get the online status of a user', {
    answer: 'action uri entities data timestamp duration count sessions? as_of? complete?',
    schemas: {
      data: statusByName,
      sessions,
      as_of: { type: 'integer', description: 'Unix milliseconds' },
      complete,
    },
    examples: presenceExamples.status,
  })
  @ApiQuery({ name: 'detail', required: false, description: '`1`: include the sessions and the time of the snapshot' })
  async status(@Call() call: AgoraCall, @Param('username') username: string, @Query('detail') detail: unknown) {
    const { sessions, asOf, complete } = await this.presence.of(call.app.id, username);
    return call.answer({
      data: { [username]: sessions.length > 0 ? 'online' : 'offline' },
      count: 0,
      ...(detail === '1' ? { sessions: sessions.map(toAgoraSession), as_of: asOf, complete } : {}),
    });
  }

  @AgoraRoute(
    'POST users/batch/status',
    'Get the online status of up to 100 users; unknown users are reported offline',
    {
      limit: 50,
      action: 'get batch user status',
      answer: 'action data timestamp duration',
      schemas: { data: { type: 'array', items: statusByName } },
      examples: presenceExamples.batchStatus,
    },
  )
  async batchStatus(@Call() call: AgoraCall, @JsonBody(AgoraBatchStatusDto) { usernames }: AgoraBatchStatusDto) {
    const online = await this.presence.online(call.app.id, usernames);
    return call.answer({
      data: usernames.map((username, index) => ({ [username]: online[index] === true ? 'online' : 'offline' })),
    });
  }

  @AgoraRoute('GET users/:username/resources', 'List the online devices of a user', {
    guard: AgoraOwnUserGuard,
    answer: 'path uri timestamp organization application entities action data duration applicationName',
    schemas: { data: { type: 'array', items: { $ref: getSchemaPath(AgoraResource) } } },
  })
  async resources(@Call() call: AgoraCall, @Param('username') username: string) {
    const { sessions } = await this.presence.of(call.app.id, username);
    return call.answer({ data: sessions.map(toAgoraResource) });
  }

  @AgoraRoute(
    'DELETE users/:username/disconnect/:resource',
    'Force a device of a user offline; tokens remain valid',
    ending,
  )
  disconnectDevice(@Call() call: AgoraCall, @Param('username') username: string, @Param('resource') resource: string) {
    return call.once(async () => {
      const result = await this.presence.disconnectDevice(call.app.id, username, resource);
      return call.answer({ data: { result } });
    });
  }

  @AgoraRoute(
    'GET users/:username/disconnect/:resource',
    'Force a device of a user offline (by GET, for the Java SDK)',
    ending,
  )
  disconnectDeviceByGet(
    @Call() call: AgoraCall,
    @Param('username') username: string,
    @Param('resource') resource: string,
  ) {
    return this.disconnectDevice(call, username, resource);
  }

  @AgoraRoute('POST token/users/:username/invalid', 'End all tokens and sessions of a user', ending)
  revokeTokens(@Call() call: AgoraCall, @Param('username') username: string) {
    return call.once(async () => {
      await this.revocations.revokeTokens(call.app.id, username);
      return call.answer({ data: { result: true } });
    });
  }

  /** The spelling in the vendor's own test suite. */
  @AgoraRoute('POST token/user/:username/invalid', 'End all tokens and sessions of a user (older path)', ending)
  revokeTokensOfUser(@Call() call: AgoraCall, @Param('username') username: string) {
    return this.revokeTokens(call, username);
  }

  @AgoraRoute('GET online', 'List the online users of an app by name (Rollcall extension)', {
    path: '/online',
    answer: 'action params path uri entities data timestamp duration cursor? count total complete',
    schemas: { data: usersWithSessions, total: { type: 'integer' }, complete },
  })
  async online(@Call() call: AgoraCall, @Page() { limit, cursor }: AgoraPage) {
    const page = await this.presence.list(call.app.id, limit, cursor);
    return call.answer({
      data: page.users.map(({ username, sessions }) => ({ username, sessions: sessions.map(toAgoraSession) })),
      cursor: page.cursor,
      count: page.users.length,
      total: page.total,
      complete: page.complete,
    });
  }
}
