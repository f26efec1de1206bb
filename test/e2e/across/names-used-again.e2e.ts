import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import request from 'supertest';
import { UserEvents } from '../../../src/users/user-events.js';
import { aUsername } from '../../factories/user.factory.js';
import { FixedClock } from '../../support/fixed-clock.js';
import { GatewayClient } from '../../support/gateway-client.js';
import { type RunningApp, startApp } from '../../support/start-app.js';
import { accessToken2At } from '../../support/tokens.js';

const hourMs = 3_600_000;

describe('a reused username', () => {
  const clock = new FixedClock();
  let running: RunningApp;
  let name: string;

  beforeAll(async () => {
    running = await startApp({ clock });
  });
  beforeEach(() => {
    name = aUsername();
  });
  afterAll(() => running.stop());

  const app = () => ({ 'qiscus-sdk-app-id': running.app.appId });
  const server = () => ({ ...app(), 'qiscus-sdk-secret': running.app.certificates[0] as string });
  const post = (path: string, body: object, headers: Record<string, string> = app()) =>
    request(running.url).post(path).set(headers).send(body);

  const register = async (username = name): Promise<string> => (await running.register(username))['uuid'] as string;
  const nonce = async (): Promise<string> => (await post('/api/v2/sdk/auth/nonce', {})).body.results.nonce;
  const identityToken = (nce: string, atSeconds: number | undefined, username = name): string => {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const claims = { iss: running.app.appId, prn: username, nce, iat: atSeconds, exp: clock.nowSeconds() + 60 };
    const text = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`;
    const signature = createHmac('sha256', running.app.certificates[0] as string).update(text);
    return `${text}.${signature.digest('base64url')}`;
  };
  const verify = async (token: string): Promise<number> =>
    (await post('/api/v2/sdk/auth/verify_identity_token', { identity_token: token })).status;
  /** The statuses an AccessToken2 issued in that second gets from every endpoint that accepts one. */
  const statusesFor = async (userId: string, atSeconds: number): Promise<number[]> => {
    const token = accessToken2At(running.app, userId, atSeconds);
    const exchanged = await running.call('post', '/token', { body: { grant_type: 'agora' }, token });
    const sdk = await post('/api/v2/sdk/logout', {}, { ...app(), 'qiscus-sdk-token': token });
    return [exchanged.status, sdk.status];
  };
  const connect = async (token: string): Promise<string> => {
    const client = await GatewayClient.connect(running.url, running.path);
    client.send({ type: 'login', token });
    const { type } = await client.next();
    client.socket.terminate();
    return type;
  };

  it('rejects everything issued before its new owner, wherever within a second the deletion and the registration fall', async () => {
    const step = fc.oneof(fc.constantFrom(0, 1, 999, 1000, 1001), fc.integer({ min: 0, max: 2500 }));
    await fc.assert(
      fc.asyncProperty(step, step, step, fc.boolean(), async (lived, free, later, atOnce) => {
        name = aUsername();
        const before = clock.nowSeconds() - 1;
        const oldUuid = await register();
        const oldNonces = [await nonce(), await nonce()];
        clock.advance(lived);
        await (atOnce
          ? running.call('delete', '/users?limit=100').expect(200)
          : running.call('delete', `/users/${name}`).expect(200));
        clock.advance(free);
        const newUuid = await register();
        const registered = clock.nowSeconds();
        clock.advance(later);
        for (let at = before; at <= clock.nowSeconds(); at += 1) {
          const status = at > registered ? 200 : 401;
          expect({ at, by: 'name', status: await statusesFor(name, at) }).toEqual({
            at,
            by: 'name',
            status: [status, status],
          });
          expect({ at, by: 'uuid', status: await statusesFor(newUuid, at) }).toEqual({
            at,
            by: 'uuid',
            status: [200, 200],
          });
          expect(await statusesFor(oldUuid, at)).toEqual([401, 401]);
          expect({ at, status: await verify(identityToken(await nonce(), at)) }).toEqual({
            at,
            status: clock.nowSeconds() > registered ? 200 : 401,
          });
        }
        // Issued before: either the token says so or only its nonce does.
        expect(await verify(identityToken(oldNonces[0] as string, registered))).toBe(401);
        expect(await verify(identityToken(oldNonces[1] as string, undefined))).toBe(401);
        clock.advance(2000);
      }),
      { numRuns: 40 },
    );
  }, 120_000);

  it('accepts a token of the very second of its registration if nobody had the name before', async () => {
    for (const ms of [0, 1, 500, 999]) {
      name = aUsername();
      clock.advance(2000 - (clock.now() % 1000) + ms);
      const uuid = await register();
      const now = clock.nowSeconds();
      expect(await statusesFor(name, now)).toEqual([200, 200]);
      expect(await statusesFor(uuid, now)).toEqual([200, 200]);
      expect(await statusesFor(name, now - 1)).toEqual([401, 401]);
      expect(await connect(accessToken2At(running.app, name, now))).toBe('ready');
      expect(await connect(accessToken2At(running.app, name, now - 1))).toBe('error');
    }
  });

  it('is treated as new once the last token of its previous owner has expired', async () => {
    await register();
    await running.call('delete', `/users/${name}`).expect(200);
    clock.advance(24 * hourMs);
    await register();
    expect(await statusesFor(name, clock.nowSeconds())).toEqual([401, 401]);
    await running.call('delete', `/users/${name}`).expect(200);
    clock.advance(25 * hourMs);
    await register();
    expect(await statusesFor(name, clock.nowSeconds())).toEqual([200, 200]);
  });

  it('rejects credentials that the Qiscus routes issued to the previous owner, and our tokens', async () => {
    const account = { user_id: name, username: 'Somebody', password: 'secret' };
    await post('/api/v2.1/rest/login_or_register', account, server()).expect(200);
    const login = await post('/api/v2/sdk/login_or_register', { email: name, password: 'secret' });
    const { token, refresh_token: refreshToken } = login.body.results.user;
    const inherited = await running.call('post', '/token', { body: { grant_type: 'inherit', username: name } });
    const repeated = { 'idempotency-key': aUsername('key') };
    const sentMessage = await running.call('post', '/messages/users', {
      body: { to: [name], type: 'txt', body: { msg: 'for the first' } },
      headers: repeated,
    });
    expect(sentMessage.status).toBe(200);
    await running.call('delete', `/users/${name}`).expect(200);
    const again = await post('/api/v2.1/rest/login_or_register', account, server());
    expect(again.body.results.user.token).not.toBe(token);
    const sdk = await post('/api/v2/sdk/logout', {}, { ...app(), 'qiscus-sdk-token': token });
    const refreshed = await post('/api/v2/sdk/refresh_user_token', { user_id: name, refresh_token: refreshToken });
    expect([sdk.status, refreshed.status]).toEqual([401, 401]);
    expect(await connect(token)).toBe('error');
    expect(await connect(inherited.body.access_token)).toBe('error');
    // The answer of the first call, and no second message.
    const body = { to: [name], type: 'txt', body: { msg: 'for the first' } };
    const replayed = await running.call('post', '/messages/users', { body, headers: repeated });
    expect(replayed.headers['idempotency-replayed']).toBe('true');
    expect((await running.call('get', `/users/${name}/offline_msg_count`)).body.data[name]).toBe(0);
  });

  it('never delivers its new owner’s messages to a session of the previous owner, even if no signal ends that session', async () => {
    const old = await GatewayClient.login(
      running.url,
      running.path,
      accessToken2At(running.app, await register(), clock.nowSeconds()),
    );
    const events = running.nest.get(UserEvents);
    const { publish } = events;
    events.publish = () => undefined;
    await running.call('delete', `/users/${name}`).expect(200);
    events.publish = publish;
    const uuid = await register();
    const body = { to: [name], type: 'txt', body: { msg: 'for the second' } };
    await running.call('post', '/messages/users', { body }).expect(200);
    const client = await GatewayClient.login(
      running.url,
      running.path,
      accessToken2At(running.app, uuid, clock.nowSeconds()),
    );
    expect(await client.next()).toMatchObject({ type: 'message', body: { msg: 'for the second' } });
    await running.call('post', '/messages/users', { body }).expect(200);
    expect(await client.next()).toMatchObject({ type: 'message' });
    const { code } = await old.closed;
    expect(old.frames.map(({ type, reason }) => reason ?? type)).toEqual(['ready', 'deleted']);
    expect([code, client.open]).toEqual([4003, true]);
    await client.close();
  }, 20_000);
});
