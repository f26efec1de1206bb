import { JsonBody } from '../../http/json-body.pipe.js';
import { MessagesService } from '../../messages/messages.service.js';
import { AgoraCall, Call } from './agora-call.js';
import { AgoraController } from './agora-controller.decorator.js';
import { SendAgoraMessageDto } from './agora-messages.dto.js';
import { AgoraRoute } from './agora-route.decorator.js';

/** The sender of a message that names none. */
const defaultSender = 'admin';
const idsByReceiver = {
  type: 'object',
  additionalProperties: { type: 'string' },
  description: 'The message id of each receiver, by the name as it was written',
};

@AgoraController('messages')
export class AgoraMessagesController {
  constructor(private readonly messages: MessagesService) {}

  /** 6,000 a minute (Agora's limit for messages), as the same number of calls in each second; not a user system route. */
  @AgoraRoute('POST messages/users', 'Send a message to up to 600 users', {
    pool: 'own',
    idempotent: true,
    path: '/messages/users',
    answer: 'path uri timestamp organization application action data duration applicationName',
    schemas: { data: idsByReceiver },
  })
  send(@Call() call: AgoraCall, @JsonBody(SendAgoraMessageDto) { from, to, type, body, ext }: SendAgoraMessageDto) {
    return call.once(async () => {
      const message = { from: from ?? defaultSender, to, type, body, ext: ext ?? undefined };
      return call.answer({ data: Object.fromEntries(await this.messages.send(call.app, message)) });
    });
  }
}
