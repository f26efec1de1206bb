import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put, Query, Req } from '@nestjs/common';
import {
  ApiBearerAuth,
  ApiBody,
  ApiExtraModels,
  ApiOperation,
  ApiQuery,
  ApiTags,
  getSchemaPath,
} from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { RateLimit } from '../../rate-limit/rate-limit.decorator.js';
import type { User } from '../../users/user.js';
import { maxBatchSize, UsersService } from '../../users/users.service.js';
import { AppError } from '../../errors/app-error.js';
import { AccessBy } from '../../http/access.guard.js';
import { Repeatable } from '../../http/repeatable.decorator.js';
import { JsonBody, JsonBodyOneOrMany, OptionalJsonBody } from '../../http/json-body.pipe.js';
import { AgoraAnswer } from './agora-answer.decorator.js';
import { AgoraAppTokenGuard } from './agora-app-token.guard.js';
import { AgoraCall, Call } from './agora-call.js';
import { pageOf } from './agora-page.js';
import { agoraPrefixes } from './agora-prefixes.js';
import { AgoraRegistrationGuard } from './agora-registration.guard.js';
import {
  AgoraReasonDto,
  ChangeAgoraPasswordDto,
  ChangeAgoraUserDto,
  RegisterAgoraUserDto,
  toAgoraUser,
} from './agora-users.dto.js';

const actor = 'app token';
const oneOrMany = [{ $ref: getSchemaPath(RegisterAgoraUserDto) }].flatMap((one) => [
  one,
  { type: 'array', items: one, minItems: 1, maxItems: maxBatchSize },
]);
const limitQuery = { name: 'limit', required: false, description: '1 to 100, default 10' };
const cursorQuery = { name: 'cursor', required: false, description: 'From the page before' };

/** The user system of Agora Chat (Easemob IM): docs/dialects/agora.md. Members stand in the order of its examples. */
@ApiTags('users')
@ApiBearerAuth()
@Controller(agoraPrefixes)
@AccessBy(AgoraAppTokenGuard)
export class AgoraUsersController {
  constructor(private readonly users: UsersService) {}

  @Post('users')
  @HttpCode(200)
  @AccessBy(AgoraRegistrationGuard)
  @RateLimit(100)
  @ApiOperation({ summary: 'Register a user, or up to 60' })
  @ApiExtraModels(RegisterAgoraUserDto)
  @ApiBody({ schema: { oneOf: oneOrMany } })
  @AgoraAnswer(
    'action',
    'application',
    'path',
    'uri',
    'entities',
    'timestamp',
    'refused',
    'duration',
    'organization',
    'applicationName',
  )
  @Repeatable()
  async register(
    @Call() call: AgoraCall,
    @Req() request: FastifyRequest,
    @Body(new JsonBodyOneOrMany(RegisterAgoraUserDto, maxBatchSize))
    body: RegisterAgoraUserDto | RegisterAgoraUserDto[],
  ) {
    const withToken = request.headers.authorization !== undefined;
    if (!withToken && Array.isArray(body)) throw new AppError('registration_closed');
    const accounts = [body].flat().map(({ username, password, nickname }) => ({
      username,
      password: password ?? undefined,
      nickname: nickname ?? undefined,
    }));
    const passwordOptional = withToken && call.app.settings.password_optional;
    const { registered, taken } = await this.users.register(call.app, accounts, passwordOptional);
    if (registered.length === 0) throw new AppError('username_taken', { detail: taken[0] ?? '' });
    return {
      action: 'post',
      application: call.app.id,
      path: '/users',
      uri: call.uri('/users'),
      entities: registered.map(toAgoraUser),
      timestamp: call.timestamp,
      data: taken.map((username) => ({ username, registerUserFailReason: `the ${username} already exists` })),
      duration: call.duration,
      organization: call.app.org,
      applicationName: call.app.name,
    };
  }

  @Get('users/:username')
  @RateLimit(100)
  @ApiOperation({ summary: 'A user by name or uuid' })
  @AgoraAnswer('action', 'path', 'uri', 'entities', 'timestamp', 'duration', 'count')
  async get(@Call() call: AgoraCall, @Param('username') username: string) {
    const user = await this.users.get(call.app.id, username);
    return {
      action: 'get',
      path: '/users',
      uri: call.uri(call.path),
      entities: [toAgoraUser(user)],
      timestamp: call.timestamp,
      duration: call.duration,
      count: 1,
    };
  }

  @Get('users')
  @RateLimit(100)
  @ApiOperation({ summary: 'Users in the order of their registration, page by page' })
  @ApiQuery(limitQuery)
  @ApiQuery(cursorQuery)
  @AgoraAnswer('action', 'params', 'path', 'uri', 'entities', 'timestamp', 'duration', 'cursor?', 'count')
  async list(@Call() call: AgoraCall, @Query() query: Record<string, unknown>) {
    const { limit, cursor } = pageOf(query);
    const page = await this.users.list(call.app.id, limit, cursor);
    return {
      action: 'get',
      params: call.params,
      path: '/users',
      uri: call.uri('/users'),
      entities: page.users.map(toAgoraUser),
      timestamp: call.timestamp,
      duration: call.duration,
      ...(page.cursor === null ? {} : { cursor: page.cursor }),
      count: page.users.length,
    };
  }

  @Put('users/:username')
  @RateLimit(100)
  @ApiOperation({ summary: 'Change the nickname of a user' })
  @ApiBody({ type: ChangeAgoraUserDto })
  @AgoraAnswer(
    'action',
    'application',
    'path',
    'uri',
    'entities',
    'timestamp',
    'duration',
    'organization',
    'applicationName',
  )
  @Repeatable()
  async change(
    @Call() call: AgoraCall,
    @Param('username') username: string,
    @Body(new JsonBody(ChangeAgoraUserDto)) body: ChangeAgoraUserDto,
  ) {
    const user = await this.users.changeNickname(call.app.id, username, body.nickname);
    return changedUser(call, 'put', user);
  }

  @Delete('users/:username')
  @RateLimit(100)
  @ApiOperation({ summary: 'Delete a user and what belongs to it' })
  @AgoraAnswer(
    'action',
    'application',
    'path',
    'uri',
    'entities',
    'timestamp',
    'duration',
    'organization',
    'applicationName',
  )
  @Repeatable()
  async delete(@Call() call: AgoraCall, @Param('username') username: string) {
    const user = await this.users.delete(call.app.id, username);
    return changedUser(call, 'delete', user);
  }

  @Delete('users')
  @RateLimit(30)
  @ApiOperation({ summary: 'Delete the oldest users of the app' })
  @ApiQuery(limitQuery)
  @ApiQuery(cursorQuery)
  @AgoraAnswer(
    'action',
    'application',
    'params',
    'path',
    'uri',
    'entities',
    'timestamp',
    'duration',
    'organization',
    'applicationName',
    'cursor?',
  )
  @Repeatable()
  async deleteOldest(@Call() call: AgoraCall, @Query() query: Record<string, unknown>) {
    // What a client sends that deletes one user, and has lost the name: it does not mean the oldest ten.
    if (call.endsInSlash && query.limit === undefined) throw new AppError('route_not_found');
    const { limit, cursor } = pageOf(query);
    const page = await this.users.deleteOldest(call.app.id, limit, cursor);
    return {
      action: 'delete',
      application: call.app.id,
      params: call.params,
      path: '/users',
      uri: call.uri('/users'),
      entities: page.users.map(toAgoraUser),
      timestamp: call.timestamp,
      duration: call.duration,
      organization: call.app.org,
      applicationName: call.app.name,
      ...(page.cursor === null ? {} : { cursor: page.cursor }),
    };
  }

  /** The seed has PUT; Easemob's limit tables name POST, so both work. */
  @Put('users/:username/password')
  @RateLimit(100)
  @ApiOperation({ summary: 'Set a new password: every token and session of before ends' })
  @ApiBody({ type: ChangeAgoraPasswordDto })
  @AgoraAnswer('action', 'timestamp', 'duration')
  @Repeatable()
  async changePassword(
    @Call() call: AgoraCall,
    @Param('username') username: string,
    @Body(new JsonBody(ChangeAgoraPasswordDto)) body: ChangeAgoraPasswordDto,
  ) {
    await this.users.changePassword(call.app.id, username, body.newpassword);
    return { action: 'set user password', timestamp: call.timestamp, duration: call.duration };
  }

  @Post('users/:username/password')
  @HttpCode(200)
  @RateLimit(100)
  @ApiOperation({ summary: 'The same by POST' })
  @ApiBody({ type: ChangeAgoraPasswordDto })
  @AgoraAnswer('action', 'timestamp', 'duration')
  @Repeatable()
  changePasswordByPost(
    @Call() call: AgoraCall,
    @Param('username') username: string,
    @Body(new JsonBody(ChangeAgoraPasswordDto)) body: ChangeAgoraPasswordDto,
  ) {
    return this.changePassword(call, username, body);
  }

  @Post('users/:username/deactivate')
  @HttpCode(200)
  @RateLimit(100)
  @ApiOperation({ summary: 'Ban a user: every token and session of before ends, and no login until unbanned' })
  @ApiBody({ type: AgoraReasonDto, required: false })
  @AgoraAnswer('action', 'entities', 'timestamp', 'duration')
  @Repeatable()
  async ban(
    @Call() call: AgoraCall,
    @Param('username') username: string,
    @Body(new OptionalJsonBody(AgoraReasonDto)) body: AgoraReasonDto,
  ) {
    const user = await this.users.ban(call.app.id, username, actor, body.reason ?? null);
    return {
      action: 'Deactivate user',
      entities: [toAgoraUser(user)],
      timestamp: call.timestamp,
      duration: call.duration,
    };
  }

  @Post('users/:username/activate')
  @HttpCode(200)
  @RateLimit(100)
  @ApiOperation({ summary: 'Lift a ban' })
  @ApiBody({ type: AgoraReasonDto, required: false })
  @AgoraAnswer('action', 'timestamp', 'duration')
  @Repeatable()
  async unban(
    @Call() call: AgoraCall,
    @Param('username') username: string,
    @Body(new OptionalJsonBody(AgoraReasonDto)) body: AgoraReasonDto,
  ) {
    await this.users.unban(call.app.id, username, actor, body.reason ?? null);
    return { action: 'activate user', timestamp: call.timestamp, duration: call.duration };
  }
}

function changedUser(call: AgoraCall, action: 'put' | 'delete', user: User) {
  return {
    action,
    application: call.app.id,
    path: '/users',
    uri: call.uri('/users'),
    entities: [toAgoraUser(user)],
    timestamp: call.timestamp,
    duration: call.duration,
    organization: call.app.org,
    applicationName: call.app.name,
  };
}
