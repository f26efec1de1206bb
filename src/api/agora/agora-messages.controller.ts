import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiBody, ApiOperation, ApiTags } from '@nestjs/swagger';
import { MessagesService } from '../../messages/messages.service.js';
import { RateLimit } from '../../rate-limit/rate-limit.decorator.js';
import { AccessBy } from '../../http/access.guard.js';
import { Repeatable } from '../../http/repeatable.decorator.js';
import { JsonBody } from '../../http/json-body.pipe.js';
import { AgoraAnswer } from './agora-answer.decorator.js';
import { AgoraAppTokenGuard } from './agora-app-token.guard.js';
import { AgoraCall, Call } from './agora-call.js';
import { SendAgoraMessageDto } from './agora-messages.dto.js';
import { agoraPrefixes } from './agora-prefixes.js';

/** The sender of a message that names none. */
const defaultSender = 'admin';

@ApiTags('messages')
@ApiBearerAuth()
@Controller(agoraPrefixes)
@AccessBy(AgoraAppTokenGuard)
export class AgoraMessagesController {
  constructor(private readonly messages: MessagesService) {}

  /** 6,000 a minute (Agora's limit for messages), as the same number of calls in each second; not a user system route. */
  @Post('messages/users')
  @HttpCode(200)
  @RateLimit(100, { pool: 'own' })
  @ApiOperation({ summary: 'Send a message to up to 600 users' })
  @ApiBody({ type: SendAgoraMessageDto })
  @AgoraAnswer(
    'path',
    'uri',
    'timestamp',
    'organization',
    'application',
    'action',
    {
      data: {
        type: 'object',
        additionalProperties: { type: 'string' },
        description: 'The message id of each receiver, by the name as it was written',
      },
    },
    'duration',
    'applicationName',
  )
  @Repeatable()
  async send(@Call() call: AgoraCall, @Body(new JsonBody(SendAgoraMessageDto)) body: SendAgoraMessageDto) {
    const { from, to, type, ext } = body;
    const ids = await this.messages.send(call.app, {
      from: from ?? defaultSender,
      ...{ to, type, body: body.body, ext: ext ?? undefined },
    });
    return {
      path: '/messages/users',
      uri: call.uri('/messages/users'),
      timestamp: call.timestamp,
      organization: call.app.org,
      application: call.app.id,
      action: 'post',
      data: Object.fromEntries(ids),
      duration: call.duration,
      applicationName: call.app.name,
    };
  }
}
