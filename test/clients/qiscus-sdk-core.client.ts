import { createHmac } from 'node:crypto';
import { type QiscusService, seedSecret, startQiscus } from '../e2e/qiscus/qiscus-service.js';
import { eventually } from '../support/message-client.js';
import { PackageClient } from './package-client.js';

let service: QiscusService;
const opened: PackageClient[] = [];

beforeAll(async () => {
  service = await startQiscus();
});
afterEach(async () => {
  for (const client of opened.splice(0)) await client.stop();
});
afterAll(() => service.stop());

/** A client that has loaded its config. Should it ever ask for a broker, it asks for one on this machine. */
async function init(appId = 'sdksample'): Promise<PackageClient> {
  const sdk = await PackageClient.start('qiscus-sdk-core');
  opened.push(sdk);
  await sdk.call('init', { AppId: appId, baseURL: service.running.url, mqttURL: 'wss://127.0.0.1:9/mqtt' });
  return sdk;
}

function identityToken(userId: string, nonce: string, more: object = {}): string {
  const now = Math.floor(Date.now() / 1000);
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = { iss: 'sdksample', prn: userId, nce: nonce, iat: now, nbf: now, exp: now + 120, ...more };
  const text = `${part({ alg: 'HS256', typ: 'JWT', ver: 'v2' })}.${part(claims)}`;
  return `${text}.${createHmac('sha256', seedSecret).update(text).digest('base64url')}`;
}

describe('qiscus-sdk-core, unmodified', () => {
  test('init takes our config: our address stays, and the vendor’s broker is off', async () => {
    const sdk = await init();
    for (const [name, value] of Object.entries({
      isConfigLoaded: true,
      baseURL: service.running.url,
      enableRealtime: false,
      enableSync: false,
      enableEventReport: false,
    }))
      expect([name, await sdk.get(name)]).toEqual([name, value]);
  });

  test('setUser logs in who knows the password, with extras and without', async () => {
    await service.login('Sam@here', { password: 'secret', username: 'Sam' });
    const sdk = await init();
    const { user } = await sdk.call('setUser', 'sam@here', 'secret', 'Sam B', 'https://sam', { team: 1 });
    expect(user).toMatchObject({
      email: 'Sam@here',
      username: 'Sam B',
      avatar_url: 'https://sam',
      extras: { team: 1 },
    });
    expect(user.token).toBe(await service.tokenOf('sam@here'));
    const again = await (await init()).call('setUser', 'sam@here', 'secret', 'Sam B');
    expect(again.user).toMatchObject({ token: user.token, extras: { team: 1 }, avatar_url: 'https://sam' });
  });

  test('setUser tells a wrong password', async () => {
    await service.login('wrong', { password: 'secret' });
    const error = await (await init()).failure('setUser', 'wrong', 'guess', 'x');
    expect(error.body).toEqual({ error: { code: 401306, message: 'wrong password' }, status: 401 });
  });

  test('nonce and identity token log in whom the app vouches for', async () => {
    const sdk = await init(service.app.appId);
    const { nonce, expired_at: expiredAt } = await sdk.call('getNonce');
    expect(expiredAt).toBeGreaterThan(Date.now() / 1000);
    const verified = await sdk.call('verifyIdentityToken', identityToken('vera', nonce, { name: 'Vera' }));
    expect(verified.user).toMatchObject({ email: 'vera', username: 'Vera' });
    await sdk.call('setUserWithIdentityToken', verified);
    await eventually(async () => expect(await sdk.get('isLogin')).toBe(true));
    expect(await sdk.get('userData.token')).toBe(await service.tokenOf('vera'));
    expect(await sdk.call('getUserPresences', ['vera', 'nobody'])).toEqual([
      { email: 'vera', status: 0, timestamp: expect.any(Number) },
      { email: 'nobody', status: 0, timestamp: expect.any(Number) },
    ]);
    expect(await sdk.failure('verifyIdentityToken', identityToken('vera', nonce))).toMatchObject({ status: 401 });
  });

  test('presence, refresh and logout with the token of the login', async () => {
    await service.login('pat', { password: 'secret' });
    const sdk = await init();
    await sdk.call('setUser', 'pat', 'secret', 'Pat');
    expect((await sdk.call('getUserPresences', ['pat'])).map((one: any) => one.status)).toEqual([0]);
    const token = await sdk.get('userData.token');
    expect((await sdk.call('refreshAuthToken')).token).toBe(token);
    expect(await sdk.get('userData.token')).toBe(token);
    await sdk.call('logout');
    expect(await sdk.get('isLogin')).toBe(false);
  });

  test('a reset of the token ends the client’s login', async () => {
    await service.login('rob', { password: 'secret' });
    const sdk = await init();
    await sdk.call('setUser', 'rob', 'secret', 'Rob');
    await service.rest('post', 'reset_user_token').send({ user_id: 'rob' });
    const error = await sdk.failure('getUserPresences', ['rob']);
    expect(error.body).toMatchObject({ error: { message: 'Unauthorized' }, status: 401 });
  });
});
