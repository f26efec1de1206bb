import { Param } from '@nestjs/common';
import { Clock } from '../../clock/clock.js';
import { JsonBody } from '../../http/json-body.pipe.js';
import { MutesService } from '../../mutes/mutes.service.js';
import { AgoraCall, Call } from './agora-call.js';
import { AgoraController } from './agora-controller.decorator.js';
import { MuteAgoraUserDto, toAgoraMute, toAgoraMutes, toDurations } from './agora-mutes.dto.js';
import type { PageNumber } from '../../cursors/page-number.js';
import { NumberedPage } from './agora-numbered-page.js';
import { AgoraRoute } from './agora-route.decorator.js';

const path = '/mutes';
const answer = 'path uri timestamp organization application action data duration applicationName';
const whole = { type: 'integer' };
const text = { type: 'string' };
const left = { ...whole, description: 'Seconds remaining; -1: permanent, 0: not muted' };
const unixtime = { ...whole, description: 'Unix seconds' };
const result = { type: 'object', properties: { result: { enum: ['ok'] } } };
const muteOfUser = {
  type: 'object',
  properties: { userid: text, chat: left, groupchat: left, chatroom: left, unixtime },
};
const mutes = {
  type: 'object',
  properties: {
    data: {
      type: 'array',
      items: { type: 'object', properties: { username: text, chat: left, groupchat: left, chatroom: left } },
      description: 'One object for each scope in which the user is muted',
    },
    unixtime,
  },
};

@AgoraController('mutes')
export class AgoraMutesController {
  constructor(
    private readonly mutes: MutesService,
    private readonly clock: Clock,
  ) {}

  @AgoraRoute('POST mutes', 'Mute a user, temporarily or permanently, or lift the mutes of a user', {
    pool: 'own',
    idempotent: true,
    ...{ path, answer, schemas: { data: result } },
  })
  set(@Call() call: AgoraCall, @JsonBody(MuteAgoraUserDto) body: MuteAgoraUserDto) {
    return call.once(async () => {
      await this.mutes.set(call.app.id, body.username, toDurations(body));
      return call.answer({ data: { result: 'ok' } });
    });
  }

  @AgoraRoute('GET mutes/:username', 'Get the mutes of a user', {
    pool: 'own',
    uri: 'as called',
    ...{ path, answer, schemas: { data: muteOfUser } },
  })
  async get(@Call() call: AgoraCall, @Param('username') username: string) {
    const mute = await this.mutes.get(call.app.id, username);
    return call.answer({ data: toAgoraMute(call.app, mute, this.clock.now()) });
  }

  @AgoraRoute('GET mutes', 'List the muted users of an app, by page', {
    pool: 'own',
    ...{ path, answer, schemas: { data: mutes } },
  })
  async list(@Call() call: AgoraCall, @NumberedPage(50) { page, size }: PageNumber) {
    const muted = await this.mutes.list(call.app.id, page, size);
    return call.answer({ data: toAgoraMutes(muted, this.clock.now()) });
  }
}
