import { Param, Query } from '@nestjs/common';
import { ApiQuery } from '@nestjs/swagger';
import { AppError } from '../../errors/app-error.js';
import { type DeliveryState, OfflineMessagesService } from '../../offline-messages/offline-messages.service.js';
import { UsersService } from '../../users/users.service.js';
import { AgoraCall, Call } from './agora-call.js';
import { AgoraController } from './agora-controller.decorator.js';
import { offlineMessageExamples } from './agora-examples.js';
import { AgoraRoute } from './agora-route.decorator.js';

const answer = 'action uri entities data timestamp duration count';

/** The last two methods of the vendor's user system. */
@AgoraController('offline messages')
export class AgoraOfflineMessagesController {
  constructor(
    private readonly users: UsersService,
    private readonly offlineMessages: OfflineMessagesService,
  ) {}

  /** `state` is an extension: the vendor counts all messages, "regardless of the delivery state". */
  @AgoraRoute('GET users/:username/offline_msg_count', 'Count the offline messages of a user, pending or delivered', {
    answer,
    schemas: { data: { type: 'object', additionalProperties: { type: 'integer' } } },
    examples: offlineMessageExamples.count,
  })
  @ApiQuery({ name: 'state', required: false, enum: ['delivered', 'undelivered'] })
  async count(@Call() call: AgoraCall, @Param('username') username: string, @Query('state') state?: unknown) {
    const wanted = stateOf(state);
    const { uuid } = await this.users.get(call.app.id, username);
    const count = await this.offlineMessages.count(call.app.id, uuid, wanted);
    return call.answer({ data: { [username]: count }, count: 0 });
  }

  /** The third state comes from the vendor's PHP client, for an id the user has no message with. */
  @AgoraRoute('GET users/:username/offline_msg_status/:messageId', 'Get the delivery state of a message for a user', {
    answer,
    schemas: {
      data: {
        type: 'object',
        additionalProperties: { type: 'string', enum: ['delivered', 'undelivered', 'msg_not_found'] },
      },
    },
    examples: offlineMessageExamples.status,
  })
  async status(@Call() call: AgoraCall, @Param('username') username: string, @Param('messageId') messageId: string) {
    const { uuid } = await this.users.get(call.app.id, username);
    const state = await this.offlineMessages.stateOf(call.app.id, uuid, messageId);
    return call.answer({ data: { [messageId]: state ?? 'msg_not_found' }, count: 0 });
  }
}

/** @throws AppError argument_invalid */
function stateOf(state: unknown): DeliveryState | null {
  if (state === undefined || state === '') return null;
  if (state === 'delivered' || state === 'undelivered') return state;
  throw new AppError('argument_invalid', { detail: 'state must be delivered or undelivered' });
}
