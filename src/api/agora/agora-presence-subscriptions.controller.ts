import { Param } from '@nestjs/common';
import { ApiExtraModels, getSchemaPath } from '@nestjs/swagger';
import { JsonBody } from '../../http/json-body.pipe.js';
import { PresenceSubscriptionsService } from '../../presence-subscriptions/presence-subscriptions.service.js';
import { AgoraCall, Call } from './agora-call.js';
import { AgoraController } from './agora-controller.decorator.js';
import { AgoraPresenceError } from './agora-error-styles.js';
import {
  AgoraPresence,
  AgoraPresenceUsersDto,
  AgoraSubscribedPresence,
  expiryOf,
  NamesBody,
  maxPageSize,
  PublishAgoraPresenceDto,
  toAgoraPresence,
  toAgoraSubscribed,
} from './agora-presence-subscriptions.dto.js';
import type { PageNumber } from '../../cursors/page-number.js';
import { NumberedPage } from './agora-numbered-page.js';
import { AgoraRoute, type AgoraRouteOptions } from './agora-route.decorator.js';

const text = { type: 'string' };
const done = { type: 'string', enum: ['ok'] };
const listOf = (model: typeof AgoraPresence) => ({ type: 'array', items: { $ref: getSchemaPath(model) } });
const subscriptions = {
  type: 'object',
  properties: {
    totalnum: text,
    sublist: {
      type: 'array',
      items: { type: 'object', properties: { uid: text, expiry: text }, required: ['uid', 'expiry'] },
    },
  },
  required: ['totalnum', 'sublist'],
};

/** These routes answer without the envelope. */
function answering(result: object): AgoraRouteOptions {
  return { limit: 50, answer: 'result', schemas: { result }, errors: AgoraPresenceError };
}

/** Published presence and its subscribers: docs/dialects/agora.md. */
@AgoraController('presence')
@ApiExtraModels(AgoraPresence, AgoraSubscribedPresence)
export class AgoraPresenceSubscriptionsController {
  constructor(private readonly subscriptions: PresenceSubscriptionsService) {}

  @AgoraRoute('POST users/:username/presence/:resource/:status', 'Publish the presence status of a device of a user', {
    ...answering(done),
    idempotent: true,
  })
  publish(
    @Call() call: AgoraCall,
    @Param('username') username: string,
    @Param('resource') resource: string,
    @Param('status') status: string,
    @JsonBody(PublishAgoraPresenceDto) { ext }: PublishAgoraPresenceDto,
  ) {
    return call.once(async () => {
      await this.subscriptions.publish(call.app.id, username, { resource, status, ext });
      return call.answer({ result: 'ok' });
    });
  }

  @AgoraRoute('POST users/:username/presence/:expiry', 'Subscribe a user to the presence of up to 100 others', {
    ...answering(listOf(AgoraSubscribedPresence)),
    idempotent: true,
  })
  subscribe(
    @Call() call: AgoraCall,
    @Param('username') username: string,
    @Param('expiry') expiry: string,
    @JsonBody(AgoraPresenceUsersDto) { usernames }: AgoraPresenceUsersDto,
  ) {
    return call.once(async () => {
      const subscribed = await this.subscriptions.subscribe(call.app.id, username, usernames, expiryOf(expiry));
      const { presences, expiresAt } = subscribed;
      return call.answer({ result: presences.map((presence) => toAgoraSubscribed(presence, expiresAt)) });
    });
  }

  @AgoraRoute('POST users/:username/presence', 'Get the presence of up to 100 users', answering(listOf(AgoraPresence)))
  async read(
    @Call() call: AgoraCall,
    @Param('username') username: string,
    @JsonBody(AgoraPresenceUsersDto) { usernames }: AgoraPresenceUsersDto,
  ) {
    const presences = await this.subscriptions.of(call.app.id, username, usernames);
    return call.answer({ result: presences.map(toAgoraPresence) });
  }

  @AgoraRoute('DELETE users/:username/presence', 'Unsubscribe a user from the presence of up to 100 others', {
    ...answering(done),
    idempotent: true,
  })
  unsubscribe(@Call() call: AgoraCall, @Param('username') username: string, @NamesBody() usernames: string[]) {
    return call.once(async () => {
      await this.subscriptions.unsubscribe(call.app.id, username, usernames);
      return call.answer({ result: 'ok' });
    });
  }

  @AgoraRoute(
    'GET users/:username/presence/sublist',
    'List the presence subscriptions of a user',
    answering(subscriptions),
  )
  async list(
    @Call() call: AgoraCall,
    @Param('username') username: string,
    @NumberedPage(maxPageSize, 1) at: PageNumber,
  ) {
    const { total, subscriptions } = await this.subscriptions.list(call.app.id, username, at.page, at.size);
    const sublist = subscriptions.map((one) => ({ uid: one.username, expiry: String(one.expiresAt / 1_000) }));
    return call.answer({ result: { totalnum: String(total), sublist } });
  }
}
