import { ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import type { ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import request from 'supertest';
import { AccessGuard } from '../../src/http/access.guard.js';
import { AgoraAuditController } from '../../src/api/agora/agora-audit.controller.js';
import { AgoraBansController } from '../../src/api/agora/agora-bans.controller.js';
import { AgoraBlocksController } from '../../src/api/agora/agora-blocks.controller.js';
import { AgoraContactsController } from '../../src/api/agora/agora-contacts.controller.js';
import {
  AgoraGroupAdminsController,
  AgoraRoomAdminsController,
} from '../../src/api/agora/agora-group-admins.controller.js';
import {
  AgoraGroupListsController,
  AgoraRoomListsController,
} from '../../src/api/agora/agora-group-lists.controller.js';
import { AgoraGroupsController, AgoraRoomsController } from '../../src/api/agora/agora-groups.controller.js';
import { AgoraHostLookUpController } from '../../src/api/agora/agora-host-look-up.controller.js';
import { AgoraMessagesController } from '../../src/api/agora/agora-messages.controller.js';
import { AgoraMutesController } from '../../src/api/agora/agora-mutes.controller.js';
import { AgoraOfflineMessagesController } from '../../src/api/agora/agora-offline-messages.controller.js';
import { AgoraOperationsController } from '../../src/api/agora/agora-operations.controller.js';
import { AgoraPresenceController } from '../../src/api/agora/agora-presence.controller.js';
import { AgoraPushController } from '../../src/api/agora/agora-push.controller.js';
import { AgoraPresenceSubscriptionsController } from '../../src/api/agora/agora-presence-subscriptions.controller.js';
import { AgoraSearchController } from '../../src/api/agora/agora-search.controller.js';
import { AgoraSuperAdminsController } from '../../src/api/agora/agora-super-admins.controller.js';
import { AgoraTokenController } from '../../src/api/agora/agora-token.controller.js';
import { AgoraUserAttributesController } from '../../src/api/agora/agora-user-attributes.controller.js';
import { AgoraUserNotesController } from '../../src/api/agora/agora-user-notes.controller.js';
import { AgoraUsersController } from '../../src/api/agora/agora-users.controller.js';
import { SentParameters } from '../../src/api/qiscus/qiscus-parameters.js';
import { ProfilesService } from '../../src/profiles/profiles.service.js';
import { resolved } from '../support/json-schema.js';
import { guardedRoutes, isTwinRoute } from '../support/route-access.js';
import { callsOf } from '../support/route-calls.js';
import { type RunningApp, startApp } from '../support/start-app.js';
import { idsOfNothing } from '../support/tenant.js';

/** What a call read, by location: `query limit`, `header authorization`. */
let read = new Set<string>();

const ourHeaders = /^(authorization|idempotency-key|qiscus-sdk-.*)$/;
const recording = <Of extends object>(of: Of, where: string, names = /./): Of =>
  new Proxy(of, {
    get(target, name) {
      if (typeof name === 'string' && names.test(name)) read.add(`${where} ${name}`);
      return Reflect.get(target, name) as unknown;
    },
  });

/** Nest's numeric codes for the kind of a handler parameter. */
const kinds: Readonly<Record<string, string>> = { 3: 'body', 4: 'query', 5: 'path' };

/** Wraps the arguments of every handler of a controller so that each read is recorded. */
function record(controller: { readonly prototype: object }): void {
  const prototype = controller.prototype as Record<string, unknown>;
  for (const name of Object.getOwnPropertyNames(prototype)) {
    const taken: Record<string, { index: number; data?: string }> | undefined = Reflect.getMetadata(
      ROUTE_ARGS_METADATA,
      controller,
      name,
    );
    const handler = prototype[name] as (...args: unknown[]) => unknown;
    if (taken === undefined) continue;
    const wrapped = function (this: unknown, ...args: unknown[]): unknown {
      for (const [key, { index, data }] of Object.entries(taken)) {
        const where = kinds[key.split(':', 1)[0] as string];
        const value = args[index];
        if (where === undefined) continue;
        if (data !== undefined) read.add(`${where} ${data}`);
        else if (Array.isArray(value))
          args[index] = value.map((one: unknown) =>
            typeof one === 'object' && one !== null ? recording(one, where) : one,
          );
        else if (value instanceof Map) continue;
        else if (typeof value === 'object' && value !== null) args[index] = recording(value, where);
      }
      return handler.apply(this, args);
    };
    for (const key of Reflect.getMetadataKeys(handler))
      Reflect.defineMetadata(key, Reflect.getMetadata(key, handler), wrapped);
    // Operations are invoked by it.
    Object.defineProperty(wrapped, 'name', { value: name });
    prototype[name] = wrapped;
  }
}

describe('the OpenAPI document', () => {
  let running: RunningApp;
  let document: any;

  beforeAll(async () => {
    for (const controller of [
      ...[AgoraAuditController, AgoraBansController, AgoraBlocksController, AgoraContactsController],
      ...[AgoraOperationsController, AgoraSearchController, AgoraUserNotesController],
      ...[AgoraGroupsController, AgoraMessagesController, AgoraOfflineMessagesController],
      ...[AgoraPresenceController, AgoraRoomsController, AgoraTokenController, AgoraUserAttributesController],
      ...[AgoraUsersController, AgoraBansController, AgoraMutesController, AgoraPushController],
      ...[AgoraHostLookUpController, AgoraPresenceSubscriptionsController],
      ...[AgoraGroupAdminsController, AgoraRoomAdminsController, AgoraGroupListsController, AgoraRoomListsController],
      ...[AgoraSuperAdminsController],
    ])
      record(controller);
    const { canActivate } = AccessGuard.prototype;
    AccessGuard.prototype.canActivate = function (context: ExecutionContext) {
      const request = context.switchToHttp().getRequest<FastifyRequest>();
      request.raw.headers = recording(request.raw.headers, 'header', ourHeaders);
      if (!request.url.startsWith('/api/')) request.query = recording(request.query as object, 'query');
      return canActivate.call(this, context);
    };
    const { get } = SentParameters.prototype;
    SentParameters.prototype.get = function (name) {
      read.add(`parameter ${name}`);
      return get.call(this, name);
    };
    running = await startApp();
    document = (await request(running.url).get('/docs/openapi.json')).body;
  });
  afterAll(() => running.stop());

  const operations = (): [string, any][] =>
    Object.entries<Record<string, any>>(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]): [string, any] => [
        `${method.toUpperCase()} ${path.replace(/\{(\w+)\}/g, ':$1')}`,
        operation,
      ]),
    );

  /** The same notation for what the document declares. */
  function described(route: string, operation: any): string[] {
    const isQiscus = route.includes(' /api/');
    const place = (where: string): string => (isQiscus && where !== 'header' ? 'parameter' : where);
    const parameters = operation.parameters.map(
      (one: { name: string; in: string }) =>
        `${place(one.in)} ${one.in === 'header' ? one.name.toLowerCase() : one.name}`,
    );
    const schemes = Object.keys(Object.assign({}, ...(operation.security ?? [])));
    const security = schemes.map((scheme) => `header ${scheme === 'bearer' ? 'authorization' : scheme.toLowerCase()}`);
    const [content] = Object.values<any>(operation.requestBody?.content ?? {});
    const schema = content?.schema;
    const members = membersOf(schema ?? {}).map((name) => `${place('body')} ${name}`);
    return [...new Set<string>([...parameters, ...security, ...members])].sort();
  }

  function membersOf(written: any): string[] {
    const schema: any = resolved(written, document.components.schemas);
    if (schema.oneOf !== undefined) return schema.oneOf.flatMap(membersOf);
    return schema.type === 'array' ? membersOf(schema.items) : Object.keys(schema.properties ?? {});
  }

  it('names every operation once, usable as a method name in a generated client', () => {
    const ids = operations().map(([, { operationId }]) => operationId as string);
    expect(ids.filter((id) => !/^[A-Za-z][A-Za-z0-9_]*$/.test(id))).toEqual([]);
    expect(ids.length).toBeGreaterThan(50);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('puts every operation under a tag with a description', () => {
    const described = document.tags.map(({ name }: { name: string }) => name);
    expect(operations().filter(([, { tags }]) => !described.includes(tags[0]))).toEqual([]);
    expect(Object.keys(document.paths)[0]).toBe('/{org}/{app}/users');
  });

  it('declares every parameter that a handler reads, and no others', async () => {
    const { app } = running;
    const certificate = app.certificates[0] as string;
    const credentials = { org: app.org, name: app.name, appId: app.appId, certificate };
    await running.register('reader');
    const profiles = running.nest.get(ProfilesService);
    const tokenOf = async (name: string): Promise<string> =>
      (await profiles.tokensOf(app, (await profiles.get(app.id, name)).user)).token;
    const found: Record<string, string[]> = {};
    for (const { route, access } of guardedRoutes(running)) {
      if (route.startsWith('HEAD') || isTwinRoute(route)) continue;
      read = new Set([...route.matchAll(/:(\w+)/g)].map(([, name]) => `path ${name}`));
      for (const { method, path, headers, body } of callsOf(route, credentials, idsOfNothing())) {
        const shown: Record<string, string> = {
          ...(path.startsWith('/api/')
            ? { 'qiscus-sdk-app-id': app.appId }
            : { authorization: `Bearer ${running.token}` }),
          ...(access === 'QiscusServerGuard' ? { 'qiscus-sdk-secret': certificate } : {}),
          ...(access === 'QiscusUserTokenGuard' ? { 'qiscus-sdk-token': await tokenOf('reader') } : {}),
        };
        // These made-up values cannot all be sent; parameters are read before that matters.
        const [bare] = path.split('?', 1);
        await fetch(`${running.url}${path.startsWith('/api/') ? path : bare}`, {
          method,
          headers: { ...shown, ...headers },
          // A GET may have a body here, but not in fetch; the query carries the same members.
          ...(body === undefined || method === 'GET' ? {} : { body }),
        }).then((response) => response.text());
      }
      found[route] = [...read].sort();
    }
    const documented = Object.fromEntries(
      operations().map(([route, operation]) => [route, described(route, operation)]),
    );
    expect(documented).toEqual(found);
  });
});
