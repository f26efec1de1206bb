import { createHmac } from 'node:crypto';
import request from 'supertest';
import { AppsService } from '../../../src/apps/apps.service.js';
import { FixedClock } from '../../support/fixed-clock.js';
import { type QiscusService, invalid, refused, seedSecret, startQiscus } from './qiscus-service.js';

let service: QiscusService;
const clock = new FixedClock(Date.UTC(2026, 5, 1));

beforeAll(async () => {
  service = await startQiscus({ clock });
  await service.login('Anna', { password: 'secret', extras: { a: 1 } });
});
afterAll(() => service.stop());

const form = 'application/x-www-form-urlencoded';
const sdk = (method: 'get' | 'post', path: string, prefix = '/api/v2/sdk') =>
  request(service.running.url)[method](`${prefix}/${path}`).set('QISCUS-SDK-APP-ID', 'sdksample');
const signIn = (fields: Record<string, string>) => sdk('post', 'login_or_register').type(form).send(fields);
const as = (token: string, userId?: string) => ({
  'QISCUS-SDK-TOKEN': token,
  ...(userId === undefined ? {} : { 'QISCUS-SDK-USER-ID': userId }),
});

function signed(claims: object, { secret = seedSecret, alg = 'HS256' } = {}): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${part({ alg, typ: 'JWT', ver: 'v2' })}.${part(claims)}`;
  const signature = alg === 'none' ? '' : createHmac('sha256', secret).update(text).digest('base64url');
  return `${text}.${signature}`;
}

async function nonce(): Promise<string> {
  return (await sdk('post', 'auth/nonce')).body.results.nonce;
}

async function claims(userId: string, changes: object = {}): Promise<object> {
  const now = clock.nowSeconds();
  return { iss: 'sdksample', prn: userId, nce: await nonce(), iat: now, nbf: now, exp: now + 120, ...changes };
}

const verify = (token: string) => sdk('post', 'auth/verify_identity_token').send({ identity_token: token });

describe('config', () => {
  test('200 leaves every address to the client and turns the vendor’s broker off', async () => {
    for (const prefix of ['/api/v2/sdk', '/api/v2/mobile'])
      expect((await sdk('get', 'config', prefix)).body).toMatchObject({
        results: { base_url: '', broker_url: '', enable_realtime: false, enable_sync: false },
        status: 200,
      });
  });

  test('401 with the number 401303 for an unknown app', async () => {
    const response = await sdk('get', 'config').set('QISCUS-SDK-APP-ID', 'nobody');
    expect({ status: response.status, body: response.body }).toEqual({ status: 401, body: refused(401, 401303) });
  });
});

describe('login_or_register', () => {
  test('200 has every member that the native SDKs read', async () => {
    const { body } = await signIn({ email: 'anna', password: 'secret', username: 'Anna B', extras: '' });
    expect(body).toEqual({
      results: {
        user: {
          active: true,
          app: { code: 'sdksample', id: expect.any(Number), id_str: expect.any(String), name: 'sample' },
          avatar: { avatar: { url: '' } },
          avatar_url: '',
          email: 'Anna',
          extras: { a: 1 },
          id: expect.any(Number),
          id_str: expect.stringMatching(/^\d+$/),
          last_comment_id: 0,
          last_comment_id_str: '0',
          last_sync_event_id: 0,
          pn_android_configured: false,
          pn_ios_configured: false,
          refresh_token: expect.stringMatching(/^[A-Za-z0-9]{40}$/),
          rtKey: expect.any(String),
          token: await service.tokenOf('anna'),
          token_expires_at: '',
          username: 'Anna B',
        },
      },
      status: 200,
    });
  });

  test('401 with the number 401306 for a wrong password, which is not stored', async () => {
    const response = await signIn({ email: 'anna', password: 'guess' });
    expect(response.body).toEqual({ error: { code: 401306, message: 'wrong password' }, status: 401 });
    expect((await signIn({ email: 'anna', password: 'secret' })).status).toBe(200);
  });

  test('400 without a password or a name', async () => {
    expect((await signIn({ password: '' })).body).toEqual(invalid(['email', 'password']));
  });

  test('401 for a new name, unless the app allows open registration', async () => {
    expect((await signIn({ email: 'newcomer', password: 'x' })).body).toEqual(refused(401));
    await service.running.nest.get(AppsService).set(service.app, 'open_registration', 'true');
    const { body } = await signIn({ email: 'Newcomer', password: 'x', username: 'New', extras: '{"b":2}' });
    expect(body.results.user).toMatchObject({ email: 'Newcomer', username: 'New', extras: { b: 2 } });
    await service.running.nest.get(AppsService).set(service.app, 'open_registration', 'false');
  });

  test('429 for a client that guesses passwords', async () => {
    await service.login('guessed', { password: 'right' });
    const statuses = [];
    for (let round = 0; round < 11; round += 1)
      statuses.push((await signIn({ email: 'guessed', password: `wrong ${round}` })).status);
    expect(statuses).toEqual([...Array<number>(10).fill(401), 429]);
    clock.advance(61_000);
  });
});

describe('identity tokens', () => {
  test('200 a nonce has 40 characters and lasts 10 minutes', async () => {
    const { body } = await sdk('post', 'auth/nonce', '/api/v2');
    expect(body.results).toEqual({
      expired_at: clock.nowSeconds() + 600,
      nonce: expect.stringMatching(/^[0-9a-f]{40}$/),
    });
  });

  test('200 creates an unknown user and logs in an existing one', async () => {
    const first = await verify(signed(await claims('Idin', { name: 'Id In', avatar_url: 'https://i' })));
    expect(first.body.results.user).toMatchObject({ email: 'Idin', username: 'Id In', avatar_url: 'https://i' });
    const again = await verify(signed(await claims('idin', { iss: service.app.appId.toUpperCase() })));
    expect(again.body.results.user).toMatchObject({ email: 'Idin', token: first.body.results.user.token });
  });

  test('200 signed with either certificate during a rotation', async () => {
    const apps = service.running.nest.get(AppsService);
    const rotated = await apps.rotate(service.app);
    for (const secret of rotated.certificates)
      expect((await verify(signed(await claims('anna'), { secret }))).status).toBe(200);
  });

  test('401 the second time: one of ten simultaneous calls succeeds', async () => {
    const token = signed(await claims('anna'));
    const statuses = await Promise.all(Array.from({ length: 10 }, async () => (await verify(token)).status));
    expect(statuses.sort()).toEqual([200, ...Array<number>(9).fill(401)]);
  });

  test.each<[string, () => Promise<string>]>([
    ['garbage', async () => 'garbage'],
    ['another secret', async () => signed(await claims('anna'), { secret: 'f'.repeat(32) })],
    ['no signature', async () => signed(await claims('anna'), { alg: 'none' })],
    ['another app', async () => signed(await claims('anna', { iss: service.running.app.appId }))],
    ['a nonce that was never issued', async () => signed(await claims('anna', { nce: 'a'.repeat(40) }))],
    ['no nonce', async () => signed(await claims('anna', { nce: undefined }))],
    ['no user', async () => signed(await claims('anna', { prn: '' }))],
    ['no end', async () => signed(await claims('anna', { exp: undefined }))],
    ['an end in the past', async () => signed(await claims('anna', { exp: clock.nowSeconds() }))],
    ['a beginning in the future', async () => signed(await claims('anna', { nbf: clock.nowSeconds() + 61 }))],
  ])('401 %s', async (_name, make) => {
    const response = await verify(await make());
    expect(response.status).toBe(401);
    expect(response.body.error.message).toBe('Unauthorized');
  });

  test('401 an expired nonce', async () => {
    const late = await claims('anna', { exp: clock.nowSeconds() + 3600 });
    clock.advance(600_000);
    expect((await verify(signed(late))).status).toBe(401);
  });
});

describe('with the user token', () => {
  test('200 users/status: 1 means online', async () => {
    const token = await service.tokenOf('anna');
    const body = { user_ids: ['Anna', 'nobody'] };
    for (const prefix of ['/api/v2/sdk', '/api/v2/mobile']) {
      const response = await sdk('post', 'users/status', prefix).set(as(token, 'ANNA')).send(body);
      expect(response.body).toEqual({
        results: {
          user_status: body.user_ids.map((email) => ({ email, status: 0, timestamp: expect.any(Number) })),
        },
        status: 200,
      });
    }
  });

  test('401 without a token, with a wrong one, or on behalf of another user', async () => {
    const token = await service.tokenOf('anna');
    for (const headers of [
      {},
      as('A'.repeat(20)),
      as('x'),
      as(token, 'idin'),
      { ...as(token), 'QISCUS-SDK-USER-EMAIL': 'x' },
    ])
      expect(
        (
          await sdk('post', 'users/status')
            .set(headers as never)
            .send({ user_ids: ['a'] })
        ).status,
      ).toBe(401);
  });

  test('200 logout, and other devices stay logged in', async () => {
    const token = await service.tokenOf('anna');
    const response = await sdk('post', 'logout').set(as(token, 'anna')).type(form).send({ user_id: 'anna', token });
    expect({ status: response.status, body: response.body }).toEqual({
      status: 200,
      body: { results: {}, status: 200 },
    });
    expect(await service.tokenOf('anna')).toBe(token);
  });

  test('401 the old token after a reset, 401300 after a ban', async () => {
    await service.login('reset');
    const token = await service.tokenOf('reset');
    const status = (credentials: string) =>
      sdk('post', 'users/status')
        .set(as(credentials))
        .send({ user_ids: ['reset'] });
    expect((await status(token)).status).toBe(200);
    const next = (await service.rest('post', 'reset_user_token').send({ user_id: 'reset' })).body.results.token;
    expect((await status(token)).body).toEqual(refused(401, 401301));
    expect((await status(next)).status).toBe(200);
    await service.rest('delete', 'deactivate_users').send({ user_ids: ['reset'] });
    expect((await status(next)).body).toEqual(refused(401, 401300));
  });
});

describe('refresh_user_token', () => {
  const refresh = (fields: Record<string, string>) => sdk('post', 'refresh_user_token').type(form).send(fields);

  test('200 the same token for its refresh token; 401 after a reset', async () => {
    await service.login('fresh', { password: 'secret' });
    const { user } = (await signIn({ email: 'fresh', password: 'secret' })).body.results;
    const credentials = { user_id: 'fresh', refresh_token: user.refresh_token };
    expect((await refresh(credentials)).body.results).toEqual({
      refresh_token: user.refresh_token,
      token: user.token,
      token_expires_at: null,
    });
    await service.rest('post', 'reset_user_token').send({ user_id: 'fresh' });
    expect((await refresh(credentials)).body).toEqual({ error: { message: 'refresh token invalid' }, status: 401 });
  });

  test('401 for another user’s and for an unknown user', async () => {
    for (const userId of ['anna', 'nobody'])
      expect((await refresh({ user_id: userId, refresh_token: 'a'.repeat(40) })).status).toBe(401);
  });
});
