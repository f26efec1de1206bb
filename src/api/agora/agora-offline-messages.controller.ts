import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiQuery, ApiTags } from '@nestjs/swagger';
import { AppError } from '../../errors/app-error.js';
import { type DeliveryState, OfflineMessagesService } from '../../offline-messages/offline-messages.service.js';
import { RateLimit } from '../../rate-limit/rate-limit.decorator.js';
import { UsersService } from '../../users/users.service.js';
import { AccessBy } from '../../http/access.guard.js';
import { AgoraAnswer } from './agora-answer.decorator.js';
import { AgoraAppTokenGuard } from './agora-app-token.guard.js';
import { AgoraCall, Call } from './agora-call.js';
import { agoraPrefixes } from './agora-prefixes.js';

const answered = (data: object): Parameters<typeof AgoraAnswer> => [
  'action',
  'uri',
  'entities',
  { data: { type: 'object', additionalProperties: data } },
  'timestamp',
  'duration',
  'count',
];

/** The last two methods of the vendor's user system. */
@ApiTags('offline messages')
@ApiBearerAuth()
@Controller(agoraPrefixes)
@AccessBy(AgoraAppTokenGuard)
export class AgoraOfflineMessagesController {
  constructor(
    private readonly users: UsersService,
    private readonly offlineMessages: OfflineMessagesService,
  ) {}

  /** `state` is ours: the vendor counts all, "regardless of the delivery state". */
  @Get('users/:username/offline_msg_count')
  @RateLimit(100)
  @ApiOperation({ summary: 'How many offline messages wait for a user, or were delivered' })
  @ApiQuery({ name: 'state', required: false, enum: ['delivered', 'undelivered'] })
  @AgoraAnswer(...answered({ type: 'integer' }))
  async count(@Call() call: AgoraCall, @Param('username') username: string, @Query('state') state?: unknown) {
    const wanted = stateOf(state);
    const { uuid } = await this.users.get(call.app.id, username);
    return answer(call, { [username]: await this.offlineMessages.count(call.app.id, uuid, wanted) });
  }

  /** The third state is that of the vendor's PHP client, for an id that the user has no message of. */
  @Get('users/:username/offline_msg_status/:messageId')
  @RateLimit(100)
  @ApiOperation({ summary: 'Whether a message was delivered to a user' })
  @AgoraAnswer(...answered({ type: 'string', enum: ['delivered', 'undelivered', 'msg_not_found'] }))
  async status(@Call() call: AgoraCall, @Param('username') username: string, @Param('messageId') messageId: string) {
    const { uuid } = await this.users.get(call.app.id, username);
    const state = await this.offlineMessages.stateOf(call.app.id, uuid, messageId);
    return answer(call, { [messageId]: state ?? 'msg_not_found' });
  }
}

function answer(call: AgoraCall, data: Readonly<Record<string, unknown>>) {
  return {
    action: 'get',
    uri: call.uri(call.path),
    entities: [],
    data,
    timestamp: call.timestamp,
    duration: call.duration,
    count: 0,
  };
}

/** @throws AppError argument_invalid */
function stateOf(state: unknown): DeliveryState | null {
  if (state === undefined || state === '') return null;
  if (state === 'delivered' || state === 'undelivered') return state;
  throw new AppError('argument_invalid', { detail: 'state must be delivered or undelivered' });
}
