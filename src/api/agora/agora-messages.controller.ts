import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { ApiQuery } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { describedParameter } from '../../http/described-parameter.js';
import { JsonBody } from '../../http/json-body.pipe.js';
import { MessagesService } from '../../messages/messages.service.js';
import { AgoraCall, Call } from './agora-call.js';
import { AgoraController } from './agora-controller.decorator.js';
import { SendAgoraMessageDto, SendOlderAgoraMessageDto, toMessage, toMessageOfOlder } from './agora-messages.dto.js';
import { AgoraRoute } from './agora-route.decorator.js';

const idsByReceiver = {
  type: 'object',
  additionalProperties: { type: 'string' },
  description: 'The message id for each receiver, keyed by the name as written in the request',
};
const resultsByReceiver = {
  ...idsByReceiver,
  description:
    '`success` for each receiver, or the message id with `useMsgId=true`; keyed by the name as written in the request',
};

const readUseMessageIds = createParamDecorator((_data: unknown, context: ExecutionContext) => {
  const query = context.switchToHttp().getRequest<FastifyRequest>().query as Record<string, unknown>;
  return query['useMsgId'] === 'true';
});
const UseMessageIds = (): ParameterDecorator =>
  describedParameter(
    readUseMessageIds(),
    ApiQuery({ name: 'useMsgId', required: false, enum: ['true', 'false'], description: 'Return message ids' }),
  );

/**
 * 6,000 messages a minute (Agora's limit), enforced as the equivalent rate per second; these routes are not part of the
 * user system.
 */
@AgoraController('messages')
export class AgoraMessagesController {
  constructor(private readonly messages: MessagesService) {}

  @AgoraRoute('POST messages/users', 'Send a message to up to 600 users', {
    pool: 'own',
    idempotent: true,
    path: '/messages/users',
    answer: 'path uri timestamp organization application action data duration applicationName',
    schemas: { data: idsByReceiver },
  })
  send(@Call() call: AgoraCall, @JsonBody(SendAgoraMessageDto) body: SendAgoraMessageDto) {
    return call.once(async () => {
      return call.answer({ data: Object.fromEntries(await this.messages.send(call.app, toMessage(body))) });
    });
  }

  @AgoraRoute('POST messages', 'Send a message (older request format)', {
    pool: 'own',
    idempotent: true,
    path: '/messages',
    answer: 'path uri timestamp organization application entities action data duration applicationName',
    schemas: { data: resultsByReceiver },
  })
  sendOlder(
    @Call() call: AgoraCall,
    @JsonBody(SendOlderAgoraMessageDto) body: SendOlderAgoraMessageDto,
    @UseMessageIds() withIds: boolean,
  ) {
    return call.once(async () => {
      const ids = await this.messages.send(call.app, toMessageOfOlder(body));
      return call.answer({
        data: Object.fromEntries(withIds ? ids : [...ids.keys()].map((name) => [name, 'success'])),
      });
    });
  }
}
