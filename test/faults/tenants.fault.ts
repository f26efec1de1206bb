import { Agent } from 'node:http';
import { randomBytes, randomInt } from 'node:crypto';
import { AppsService } from '../../src/apps/apps.service.js';
import { Database } from '../../src/database/database.js';
import { aBootstrapApp } from '../factories/app.factory.js';
import { inTurns } from '../support/cluster.js';
import { longForm, seed } from '../support/form.js';
import { GatewayClient, refusal } from '../support/gateway-client.js';
import { MessageClient } from '../support/message-client.js';
import { type RawAnswer, rawCall } from '../support/raw-call.js';
import { guardedRoutes } from '../support/route-access.js';
import { callsOf, type RouteCall } from '../support/route-calls.js';
import { type RunningApp, startApp } from '../support/start-app.js';
import { type Ids, idsOfNothing, nextSecond, someNames, Tenant } from '../support/tenant.js';
import { rowsOf } from '../support/tenant-rows.js';
import { createDatabase, type TestDatabase } from '../support/test-database.js';
import * as wrong from '../support/wrong-credentials.js';

type Neighbourhood = wrong.Neighbourhood;
type WrongCredential = wrong.WrongCredential;

/** What anybody who names an app may request: it returns nothing that belongs to an app. */
const needNoCredential = /\/(config|auth\/nonce)$/;
const atOnce = 8;
/** The victim's second pair. */
const clientCredentials = { client_id: 'YXA6victim', client_secret: `YXA6${randomBytes(20).toString('base64url')}` };

describe.each(['sqlite', 'mariadb'] as const)('an app beside others, on %s', (engine) => {
  const agent = new Agent({ keepAlive: true });
  let schema: TestDatabase;
  let running: RunningApp;
  let all: Neighbourhood;
  const tenants: Tenant[] = [];
  /** Each route of the running service, with the name of its guard. */
  let routes: { route: string; access: string }[];
  let before: Record<string, string>;
  let callCount = 0;

  beforeAll(async () => {
    schema = await createDatabase(engine);
    // With Redis on one engine and without it on the other: who is online is part of an app's state as well.
    const redis = engine === 'mariadb' ? (process.env['TEST_REDIS_URL'] as string) : '';
    running = await startApp({ database: schema, env: { REDIS_URL: redis, TRUST_PROXY: '127.0.0.1' } });
    routes = guardedRoutes(running);
    all = await aNeighbourhood();
    // Vendor tokens, which count in seconds, must be newer than the password.
    await nextSecond();
    before = await rowsOf(running.nest.get(Database), all.victim.application);
  }, 60_000);
  afterAll(async () => {
    await Promise.all(tenants.map((tenant) => tenant.close()));
    agent.destroy();
    await running.stop();
    await schema.drop();
  });
  afterEach(async () => {
    // After each of the tests below, whatever else it found.
    expect(await rowsOf(running.nest.get(Database), all.victim.application)).toEqual(before);
    expect(all.victim.sessions.map(({ frames }) => frames.map(({ type }) => type))).toEqual([
      ['ready', 'message'],
      ['ready'],
    ]);
    expect((await all.victim.call('GET', `/users/${all.victim.names.username}/status?detail=1`)).sessions).toHaveLength(
      1,
    );
  });

  async function aTenant(org?: string, names = someNames()): Promise<Tenant> {
    const credentials = aBootstrapApp(org === undefined ? {} : { org, name: `app${randomInt(1e9)}` });
    const apps = running.nest.get(AppsService);
    await apps.set(await apps.create({ ...credentials }), 'rate_profile', 'off');
    const tenant = await Tenant.build(running.url, credentials, names);
    tenants.push(tenant);
    return tenant;
  }

  async function aNeighbourhood(): Promise<Neighbourhood> {
    const apps = running.nest.get(AppsService);
    const names = someNames();
    const credentials = aBootstrapApp();
    const { certificate: retired } = credentials;
    const made = await apps.setAll(await apps.create({ ...credentials, alias: credentials.org }), [
      ['rate_profile', 'off'],
      ['user_tokens', 'true'],
      ['client_id', clientCredentials.client_id],
      ['client_secret', clientCredentials.client_secret],
    ]);
    const { certificates } = await apps.rotate(await apps.rotate(made));
    const victim = await Tenant.build(running.url, { ...credentials, certificate: certificates[0] as string }, names);
    tenants.push(victim);
    const sibling = await aTenant(credentials.org, names);
    const disabled = await aTenant(credentials.org, names);
    const { org, name } = disabled.credentials;
    await apps.set((await apps.find(org, name)) as never, 'disabled', 'true');
    const stranger = await aTenant(undefined, names);
    const usedIdentityToken = await victim.identityToken();
    const login = { identity_token: usedIdentityToken };
    await victim.qiscus('POST', '/v2/sdk/auth/verify_identity_token', {}, login);
    return { victim, sibling, disabled, stranger, retired, usedIdentityToken };
  }

  async function send(call: RouteCall, headers: Readonly<Record<string, string>>): Promise<RawAnswer> {
    callCount += 1;
    // From many addresses: refusing too many wrong passwords must not hide what a correct one would open.
    const forwarded = { 'x-forwarded-for': `10.${randomInt(256)}.${randomInt(256)}.${randomInt(256)}` };
    return rawCall(running.url, call.method, call.path, {
      ...{ agent, body: call.body, headers: { ...forwarded, ...headers, ...call.headers } },
    });
  }

  it('has every route of the service in this matrix, with ids and credentials', () => {
    expect(routes.length).toBeGreaterThan(150);
    for (const { route, access } of routes) {
      expect(callsOf(route, all.victim.credentials, all.victim.ids)).not.toEqual([]);
      const kinds = new Set(wrongFor(route, access, all).map(({ kind }) => kind));
      if (access !== 'everyone') expect({ route, kinds: kinds.size }).toEqual({ route, kinds: expect.any(Number) });
      if (access !== 'everyone') expect(kinds.size).toBeGreaterThanOrEqual(10);
    }
    expect(() => callsOf('GET /:org/:app/unheard-of', all.victim.credentials, all.victim.ids)).toThrow('unheard-of');
  });

  it('no wrong credential opens any route, and no answer to one reveals anything of the app', async () => {
    const failures: string[] = [];
    const statuses = new Map<number, number>();
    const attacks = routes.flatMap(({ route, access }) => {
      const every = wrongFor(route, access, all).flatMap((credential) =>
        attacksOf(route, credential, all.victim.ids).map((call) => ({ route, access, credential, call })),
      );
      // Access is decided before any database is queried, for HEAD as for GET: one call of each kind is enough there.
      return longForm || (engine === 'sqlite' && methodOf(route) !== 'HEAD') ? every : oneOfEachKind(every);
    });
    await inTurns(attacks, atOnce, async ({ route, access, credential, call }) => {
      const answer = await send(call, credential.headers);
      statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
      const open = access === 'everyone' || isPublic(route, credential, all);
      const what = `${route}: ${credential.kind}: ${JSON.stringify(call)} ${JSON.stringify(credential.headers)}`;
      if (answer.status < 400 && !open) failures.push(`${answer.status} ${what}`);
      if (answer.status >= 500) failures.push(`${answer.status} ${what}`);
      for (const word of leakedTo(call, credential.headers, answer, all.victim)) failures.push(`${word} in ${what}`);
    });
    console.log(
      `${engine}: ${attacks.length} calls with wrong credentials (seed ${seed}), ${JSON.stringify([...statuses].sort())}`,
    );
    expect(failures.slice(0, 5)).toEqual([]);
  }, 60_000);

  it("answers another app's valid credentials the same for its ids as for ids of nothing", async () => {
    const [one, other] = [await aTenant(), await aTenant()];
    const nothing = idsOfNothing();
    const failures: string[] = [];
    const statuses = new Map<number, number>();
    // One after the other, as calls change what the next ones find; in the same way in both apps.
    for (const { route, access } of routes) {
      const [toVictim, toNothing] = [all.victim.ids, nothing].map((ids, index) => {
        const { credentials } = index === 0 ? one : other;
        return callsOf(route, credentials, ids).flatMap((call) => [call, withIdsInHeaders(call, ids)]);
      }) as [RouteCall[], RouteCall[]];
      for (const [index, call] of toVictim.entries()) {
        const headers = one.shown(access);
        const answer = await send(call, headers);
        const expected = await send(toNothing[index] as RouteCall, other.shown(access));
        statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
        const seen = normalized(answer, one, all.victim.ids);
        const wanted = normalized(expected, other, nothing);
        if (access !== 'everyone' && seen !== wanted)
          failures.push(`${route}: ${JSON.stringify(call)}\n${seen}\n${wanted}`);
        for (const word of leakedTo(call, headers, answer, all.victim))
          failures.push(`${word} in ${JSON.stringify(call)}`);
      }
    }
    console.log(`${engine}: ids of another app, ${JSON.stringify([...statuses].sort())}`);
    expect(failures.slice(0, 5)).toEqual([]);
  }, 60_000);

  it('is not affected through an app that has users of the same names', async () => {
    const failures: string[] = [];
    const ids = all.victim.ids;
    for (const { route, access } of routes) {
      const headers = all.sibling.shown(access);
      for (const call of callsOf(route, all.sibling.credentials, ids)) {
        const answer = await send(call, headers);
        for (const word of leakedTo(call, headers, answer, all.victim))
          failures.push(`${word} in ${JSON.stringify(call)}`);
      }
    }
    expect(failures.slice(0, 5)).toEqual([]);
  }, 60_000);

  it('no wrong token opens a session on the gateway, in the upgrade or in a frame', async () => {
    const attacks = wrong
      .wrongUserTokens(all)
      .flatMap(({ kind, app, token }) =>
        [app.path, `/app-id/${app.credentials.appId}`].map((path) => ({ kind, path, token })),
      );
    const failures: string[] = [];
    await inTurns(attacks, 4, async ({ kind, path, token }) => {
      const query = `?platform=web&device=${all.victim.ids.resource.slice('web_'.length)}`;
      const url = `${running.url}${path}/ws${query}`;
      const { status, body } = await refusal(url, { authorization: `Bearer ${token}` });
      if (status < 400 || status >= 500) failures.push(`upgrade with ${kind}: ${status}`);
      callCount += 1;
      if (status === 403 && body.code === 'app_disabled') return;
      const client = await GatewayClient.connect(running.url, path);
      client.send({ type: 'login', token, platform: 'web', device: 'device' });
      await client.closed;
      callCount += 1;
      if (client.frames.map(({ type }) => type).join() !== 'error') failures.push(`login with ${kind}`);
      if (JSON.stringify([client.frames, body]).includes(all.victim.canary)) failures.push(`canary with ${kind}`);
    });
    const none = await GatewayClient.connect(running.url, all.victim.path);
    none.send({ type: 'send', ref: '1', to: all.victim.names.username, body: { msg: 'hello' } });
    none.send({ type: 'read', id: all.victim.ids.messageId });
    expect([await none.next(), await none.next()]).toEqual(
      Array(2).fill({
        ...{ type: 'error', code: 'login_required', message: expect.any(String) },
      }),
    );
    await none.close();
    expect(new Set(attacks.map(({ kind }) => kind)).size).toBeGreaterThanOrEqual(9);
    expect(failures).toEqual([]);
  }, 60_000);

  it("answers another app's session the same for its ids as for ids of nothing", async () => {
    const nothing = idsOfNothing();
    const session = await MessageClient.connect(
      `${running.url.replace('http', 'ws')}${all.stranger.path}/ws`,
      all.stranger.userJwt,
    );
    // Its own message, which nobody has acknowledged.
    await session.first('message');
    await session.settle();
    const heard = async (ids: Ids): Promise<string[]> => {
      const from = session.frames.length;
      const sent = session.frames.filter(({ type }) => type === 'sent').length;
      session.send({ type: 'ack', id: ids.messageId });
      session.send({ type: 'read', id: ids.messageId });
      session.send({ type: 'send', ref: 'ref', to: ids.uuid, body: { msg: 'hello' } });
      session.send({ type: 'logout', session: ids.resource });
      await session.take('sent', sent + 1);
      await session.settle();
      return session.frames.slice(from).map((frame) => JSON.stringify(frame).replace(/"\d{10,}"/g, '"number"'));
    };
    const [toVictim, toNothing] = [await heard(all.victim.ids), await heard(nothing)];
    expect(toVictim.sort()).toEqual(toNothing.sort());
    expect(toVictim.join()).not.toContain(all.victim.canary);
    await session.close();
  });

  it('has answered', () => {
    console.log(`${engine}: ${callCount} calls and upgrades, of ${routes.length} routes`);
    expect(callCount).toBeGreaterThan(3_000);
  });
});

function methodOf(route: string): string {
  return route.split(' ', 1)[0] as string;
}

function oneOfEachKind<Attack extends { readonly credential: WrongCredential }>(attacks: readonly Attack[]): Attack[] {
  const kinds = new Map<string, Attack[]>();
  for (const attack of attacks)
    kinds.set(attack.credential.kind, [...(kinds.get(attack.credential.kind) ?? []), attack]);
  return [...kinds.values()].map((some) => some[seed % some.length] as Attack);
}

/** By the guard of the route; if that requires nothing, by what the body contains. */
function wrongFor(route: string, access: string, all: Neighbourhood): readonly WrongCredential[] {
  switch (access) {
    case 'AgoraAppTokenGuard':
    case 'AgoraRegistrationGuard':
      return wrong.wrongAppTokens(all);
    case 'AgoraOwnUserGuard':
      return wrong.wrongOwnTokens(all);
    case 'AgoraAppGuard':
      return wrong.wrongGrants(all);
    case 'QiscusServerGuard':
      return wrong.wrongSecrets(all);
    case 'QiscusUserTokenGuard':
      return wrong.wrongUserHeaders(all);
    case 'QiscusAppGuard':
      return wrong.wrongLogins(all)[route.split('/').at(-1) as string] ?? wrong.wrongSecrets(all);
    case 'everyone':
      return [...wrong.wrongAppTokens(all), ...wrong.wrongSecrets(all)];
    default:
      throw new Error(`no credentials for ${route}, which is behind ${access}, in test/support/wrong-credentials.ts`);
  }
}

function attacksOf(route: string, { app, body }: WrongCredential, ids: Ids): RouteCall[] {
  const calls = callsOf(route, app.credentials, ids);
  if (body === undefined) return calls;
  const [{ method, path }] = calls as [RouteCall];
  return [{ method, path: path.replace(/\?.*/, ''), headers: {}, body: JSON.stringify(body) }];
}

/** Whether a route requires no credential, and an existing app was named. */
function isPublic(route: string, { headers }: WrongCredential, { disabled }: Neighbourhood): boolean {
  const name = headers['qiscus-sdk-app-id'] ?? headers['host'] ?? '';
  return needNoCredential.test(route) && /^[0-9a-f]{32}/.test(name) && name !== disabled.ids.appId;
}

function withIdsInHeaders(call: RouteCall, ids: Ids): RouteCall {
  const idHeaders = { 'qiscus-sdk-user-id': ids.username, 'x-user-id': ids.uuid, 'x-app-id': ids.appId };
  return { ...call, headers: { ...call.headers, ...idHeaders } };
}

/** What an answer reveals of an app that was not in the request. */
function leakedTo(
  call: RouteCall,
  headers: Readonly<Record<string, string>>,
  answer: RawAnswer,
  { canary, application, ids, appToken, userJwt }: Tenant,
): string[] {
  const presented = JSON.stringify([call, headers]);
  const heard = JSON.stringify(answer.headers) + answer.text;
  const { username: _shared, other: _sharedToo, ...secrets } = ids;
  return [
    canary,
    application,
    appToken,
    userJwt,
    ...Object.values(clientCredentials),
    ...Object.values(secrets),
  ].filter((word) => heard.includes(word) && !presented.includes(word));
}

/** Members whose values differ in every answer. */
const changing =
  /"(duration|request_id|timestamp|created|modified|uuid|id|id_str|groupid|token|refresh_token|access_token|nonce|expired_at|since|as_of|last_modified|node|created_at|updated_at|session|expires_in|expire_timestamp|cursor|confirm|finished_at)":("[^"]*"|\d+)/g;

/** An answer with placeholders for what differs between apps. */
function normalized({ status, text }: RawAnswer, tenant: Tenant, ids: Ids): string {
  const { application, canary, names } = tenant;
  const { org, name } = tenant.credentials;
  const own = Object.entries({ ...tenant.ids, ...names, org, name, canary, application });
  const words: [string, string][] = [
    ...Object.entries(ids),
    ...own.map(([what, value]): [string, string] => [`own ${what}`, value]),
  ];
  return (
    words
      .sort(([, one], [, second]) => second.length - one.length)
      .reduce((normal, [name, value]) => normal.replaceAll(value, `<${name}>`), `${status} ${text}`)
      .replace(changing, '"$1":"…"')
      // Stored a few seconds after a login.
      .replace(/"last_seen":(null|\d+)/g, '"last_seen":"…"')
      .replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '<uuid>')
      .replace(/\d{10,}/g, '<number>')
  );
}
