import { UserEvents } from '../../../src/users/user-events.js';
import { aUsername } from '../../factories/user.factory.js';
import { FixedClock } from '../../support/fixed-clock.js';
import { GatewayClient } from '../../support/gateway-client.js';
import { type Method, type RunningApp, startApp } from '../../support/start-app.js';
import { accessToken2At } from '../../support/tokens.js';

describe('an AccessToken2 issued in the second in which its user was revoked', () => {
  const clock = new FixedClock();
  let running: RunningApp;
  let name: string;

  beforeAll(async () => {
    running = await startApp({ clock });
  });
  beforeEach(async () => {
    name = aUsername();
    await running.register(name);
    // To the start of the next second.
    clock.advance(2000 - (clock.now() % 1000));
  });
  afterAll(() => running.stop());

  /** The statuses of exchanging tokens issued in the previous, this and the next second. */
  const exchanged = async (): Promise<number[]> => {
    const now = Math.floor(clock.now() / 1000);
    const tokens = [now - 1, now, now + 1].map((at) => accessToken2At(running.app, name, at));
    const body = { grant_type: 'agora' };
    return Promise.all(tokens.map(async (token) => (await running.call('post', '/token', { body, token })).status));
  };
  const connect = async (token: string): Promise<string> => {
    const client = await GatewayClient.connect(running.url, running.path);
    client.send({ type: 'login', token });
    const { type, code } = await client.next();
    await client.close();
    return type === 'error' ? (code as string) : type;
  };
  const disconnect = () => running.call('get', `/users/${name}/disconnect`).expect(200);

  it.each([0, 1, 500, 999])('200 for a token of that second, %i ms into the second of a forced logout', async (ms) => {
    clock.advance(ms);
    await disconnect();
    expect(await exchanged()).toEqual([401, 200, 200]);
    expect(await connect(accessToken2At(running.app, name, clock.nowSeconds()))).toBe('ready');
    expect(await connect(accessToken2At(running.app, name, clock.nowSeconds() - 1))).toBe('token_not_accepted');
    await disconnect();
    expect(await exchanged()).toEqual([401, 200, 200]);
  });

  it.each<[string, Method, () => string, unknown]>([
    ['a new password', 'put', () => `/users/${name}/password`, { newpassword: 'another' }],
    ['a revocation', 'post', () => `/token/users/${name}/invalid`, undefined],
    ['a ban that was lifted', 'post', () => `/users/${name}/deactivate`, undefined],
  ])('401 in the second of %s, before or after a forced logout', async (what, method, path, body) => {
    for (const steps of [
      ['revoke', 'disconnect'],
      ['disconnect', 'revoke'],
    ]) {
      clock.advance(1000);
      for (const step of steps) {
        clock.advance(100);
        await (step === 'revoke' ? running.call(method, path(), { body }).expect(200) : disconnect());
        if (what.includes('ban')) await running.call('post', `/users/${name}/activate`).expect(200);
      }
      expect(await exchanged()).toEqual([401, 401, 200]);
      clock.advance(800);
      expect((await exchanged())[1]).toBe(200);
    }
  });

  it('200 right after a revocation late in the previous second', async () => {
    clock.advance(998);
    await running.call('post', `/token/users/${name}/invalid`).expect(200);
    clock.advance(2);
    await disconnect();
    expect(await exchanged()).toEqual([401, 200, 200]);
  });

  it.each<[string, Method, () => string, (() => object) | null]>([
    ['a forced logout', 'get', () => `${running.path}/users/${name}/disconnect`, null],
    ['a revocation', 'post', () => `${running.path}/token/users/${name}/invalid`, null],
    ['a token reset', 'post', () => '/api/v2.1/rest/reset_user_token', () => ({ user_id: name })],
  ])('200 and %s leaves modified unchanged, a ban does not', async (_what, method, path, body) => {
    const modified = async () => (await running.call('get', `/users/${name}`)).body.entities[0].modified as number;
    const before = await modified();
    clock.advance(1000);
    const { appId, certificates } = running.app;
    const headers = { 'qiscus-sdk-app-id': appId, 'qiscus-sdk-secret': certificates[0] as string };
    await running.call(method, `/${path()}`, { body: body?.(), headers }).expect(200);
    expect(await modified()).toBe(before);
    await running.call('post', `/users/${name}/deactivate`).expect(200);
    expect(await modified()).toBe(clock.now());
  });

  it('401 for our own token from before a forced logout, and 200 for the new one at once', async () => {
    const readModified = async () =>
      (await running.call('post', '/token', { body: { grant_type: 'inherit', username: name } })).body
        .access_token as string;
    const before = await readModified();
    await disconnect();
    expect(await connect(before)).toBe('token_not_accepted');
    expect(await connect(await readModified())).toBe('ready');
  });

  it('a forced logout ends every session of an AccessToken2, even if no signal reaches its node', async () => {
    const token = accessToken2At(running.app, name, clock.nowSeconds());
    const client = await GatewayClient.login(running.url, running.path, token);
    // Done as by another node whose signal is lost: this one hears nothing of it.
    const events = running.nest.get(UserEvents);
    const { publish } = events;
    events.publish = () => undefined;
    await disconnect();
    events.publish = publish;
    expect((await client.closed).code).toBe(4005);
  }, 20_000);
});
