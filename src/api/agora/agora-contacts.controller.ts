import { createParamDecorator, type ExecutionContext, Param } from '@nestjs/common';
import { ApiExtraModels, ApiQuery, getSchemaPath } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import type { Friendship } from '../../contacts/contact.js';
import { ContactsService } from '../../contacts/contacts.service.js';
import { describedParameter } from '../../http/described-parameter.js';
import { JsonBody } from '../../http/json-body.pipe.js';
import { AgoraCall, Call } from './agora-call.js';
import { AgoraController } from './agora-controller.decorator.js';
import { AgoraOwnUserGuard } from './agora-own-user.guard.js';
import { type AgoraPage, Page } from './agora-page.js';
import {
  AgoraContact,
  CheckAgoraUsersDto,
  ImportAgoraContactsDto,
  RemarkAgoraContactDto,
  relationsSchema,
  toAgoraContact,
  toRelations,
} from './agora-relations.dto.js';
import { AgoraRoute, type AgoraRouteOptions } from './agora-route.decorator.js';
import { toAgoraUser } from './agora-users.dto.js';

const pageSize = {
  member: 'limit',
  default: 10,
  max: 50,
  tooLarge: 'getContacts | page size more than max limit : 50',
};
const relation = ['friend', 'not_friend'] as const;
const names = { type: 'array', items: { type: 'string' } };
const contacts = { type: 'array', items: { $ref: getSchemaPath(AgoraContact) } };
const imported = ['UnKnowFailed', 'success', 'NotExistFailed', 'maxLimitFailed'];

const whole = 'action application path uri entities timestamp duration organization applicationName';
const own = { guard: AgoraOwnUserGuard, pool: 'own' } as const;
const changing: AgoraRouteOptions = { pool: 'own', idempotent: true, answer: whole };
const changingOwn: AgoraRouteOptions = { ...changing, guard: AgoraOwnUserGuard };
const remarking: AgoraRouteOptions = {
  ...{ ...own, idempotent: true, answer: 'action duration status timestamp uri' },
  schemas: { status: { type: 'string', enum: ['ok'] } },
};
const paging: AgoraRouteOptions = {
  ...{ ...own, answer: 'uri timestamp entities count action data duration' },
  schemas: {
    data: { type: 'object', properties: { contacts, cursor: { type: 'string' } }, required: ['contacts'] },
  },
};

const readRemarkWanted = createParamDecorator(
  (_data: unknown, context: ExecutionContext) =>
    (context.switchToHttp().getRequest<FastifyRequest>().query as Record<string, unknown>)['needReturnRemark'] ===
    'true',
);
/** Whether the caller requests remarks. */
const RemarkWanted = (): ParameterDecorator =>
  describedParameter(
    readRemarkWanted(),
    ApiQuery({
      name: 'needReturnRemark',
      required: false,
      description: '`true`: include the remark that the user set for each contact',
    }),
  );

/** Contacts between users, always mutual. */
@AgoraController('contacts')
@ApiExtraModels(AgoraContact)
export class AgoraContactsController {
  constructor(private readonly contacts: ContactsService) {}

  @AgoraRoute('POST users/:username/contacts/users/:friend', 'Add a contact, for both users', changingOwn)
  add(@Call() call: AgoraCall, @Param('username') username: string, @Param('friend') friend: string) {
    return call.once(async () => {
      const { contacts } = this;
      const add = call.isByUser
        ? contacts.addByUser(call.app, username, friend)
        : contacts.add(call.app, username, friend);
      return toAnswer(call, await add);
    });
  }

  @AgoraRoute('DELETE users/:username/contacts/users/:friend', 'Remove a contact, for both users', changingOwn)
  remove(@Call() call: AgoraCall, @Param('username') username: string, @Param('friend') friend: string) {
    return call.once(async () => toAnswer(call, await this.contacts.remove(call.app.id, username, friend)));
  }

  /** With remarks, `entities` carries them in the form that the web SDK reads. */
  @AgoraRoute('GET users/:username/contacts/users', 'List all contacts of a user, newest first', {
    ...{ ...own, answer: 'action uri entities data timestamp duration count' },
    schemas: { entities: contacts, data: names },
  })
  async listAll(@Call() call: AgoraCall, @Param('username') username: string, @RemarkWanted() withRemark: boolean) {
    const all = await this.contacts.listAll(call.app.id, username);
    const entities = withRemark ? all.map((contact) => toAgoraContact(contact, true)) : [];
    return call.answer({ entities, data: all.map((contact) => contact.username), count: all.length });
  }

  @AgoraRoute('GET user/:username/contacts', 'List the contacts of a user by page, newest first', paging)
  async list(
    @Call() call: AgoraCall,
    @Param('username') username: string,
    @Page(pageSize) { limit, cursor }: AgoraPage,
    @RemarkWanted() withRemark: boolean,
  ) {
    const page = await this.contacts.list(call.app.id, username, limit, cursor);
    const data = {
      contacts: page.contacts.map((contact) => toAgoraContact(contact, withRemark)),
      ...(page.cursor === null ? {} : { cursor: page.cursor }),
    };
    const uri = call.uri(`/users/${encodeURIComponent(username)}/rostersByPage`);
    return call.answer({ uri, data, count: page.contacts.length });
  }

  /** The path that the vendor's client SDKs use. */
  @AgoraRoute('GET users/:username/contacts', 'List the contacts of a user by page (alternative path)', paging)
  listAsClient(
    @Call() call: AgoraCall,
    @Param('username') username: string,
    @Page(pageSize) page: AgoraPage,
    @RemarkWanted() withRemark: boolean,
  ) {
    return this.list(call, username, page, withRemark);
  }

  @AgoraRoute('PUT user/:username/contacts/users/:friend', 'Set the remark of a contact', remarking)
  setRemark(
    @Call() call: AgoraCall,
    @Param('username') username: string,
    @Param('friend') friend: string,
    @JsonBody(RemarkAgoraContactDto) { remark }: RemarkAgoraContactDto,
  ) {
    return call.once(async () => {
      await this.contacts.setRemark(call.app.id, username, friend, remark);
      return call.answer({ status: 'ok' });
    });
  }

  /** The path that the vendor's client SDKs use. */
  @AgoraRoute('PUT users/:username/contacts/users/:friend', 'Set the remark of a contact (alternative path)', remarking)
  setRemarkAsClient(
    @Call() call: AgoraCall,
    @Param('username') username: string,
    @Param('friend') friend: string,
    @JsonBody(RemarkAgoraContactDto) body: RemarkAgoraContactDto,
  ) {
    return this.setRemark(call, username, friend, body);
  }

  @AgoraRoute(
    'POST users/:username/contacts/import',
    'Import up to 10 contacts, reporting success or failure for each',
    {
      ...{ pool: 'own', idempotent: true, answer: 'status timestamp action data duration' },
      schemas: {
        status: { type: 'string', enum: ['ok'] },
        data: {
          type: 'object',
          properties: Object.fromEntries(imported.map((member) => [member, names])),
          required: imported,
        },
      },
    },
  )
  import(
    @Call() call: AgoraCall,
    @Param('username') username: string,
    @JsonBody(ImportAgoraContactsDto) { usernames }: ImportAgoraContactsDto,
  ) {
    return call.once(async () => {
      const { added, unknown, full, refused } = await this.contacts.import(call.app, username, usernames);
      const data = { UnKnowFailed: refused, success: added, NotExistFailed: unknown, maxLimitFailed: full };
      return call.answer({ status: 'ok', data });
    });
  }

  @AgoraRoute('POST contacts/check', 'Check which of up to 100 users are contacts of a user', {
    ...{ pool: 'own', answer: whole },
    schemas: { entities: relationsSchema(...relation) },
  })
  async check(@Call() call: AgoraCall, @JsonBody(CheckAgoraUsersDto) body: CheckAgoraUsersDto) {
    const found = await this.contacts.check(call.app.id, body.username, body.check_list);
    return call.answer({ entities: toRelations(body, found, ...relation) });
  }

  @AgoraRoute('DELETE contacts/users/:username', 'Remove all contacts of a user, on both sides', changing)
  clear(@Call() call: AgoraCall, @Param('username') username: string) {
    return call.once(async () => {
      await this.contacts.clear(call.app.id, username);
      return call.answer();
    });
  }
}

/** The path identifies the list by its user's uuid, as the vendor's does. */
function toAnswer(call: AgoraCall, { user, friend }: Friendship): object {
  const path = `/users/${user.uuid}/contacts`;
  return call.answer({ path, uri: call.uri(path), entities: [toAgoraUser(friend)] });
}
