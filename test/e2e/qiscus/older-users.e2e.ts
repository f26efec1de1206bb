import request from 'supertest';
import type { Method } from '../../support/start-app.js';
import { invalid, type QiscusService, refused, seedSecret, startQiscus } from './qiscus-service.js';

let service: QiscusService;

beforeAll(async () => {
  service = await startQiscus();
  await service.login('Anna', { password: 'secret', avatar_url: 'https://a', extras: { a: 1 } });
});
afterAll(() => service.stop());

const secret = { 'QISCUS-SDK-APP-ID': 'sdksample', 'QISCUS-SDK-SECRET': seedSecret };
const call = (method: Method, path: string, headers: object = secret) =>
  request(service.running.url)
    [method](`/api/v2/rest/${path}`)
    .set(headers as never);

/** Exactly these members: a strict client of this version accepts no others. */
const user = (email: string, more: object = {}) => ({
  app: { code: 'sdksample', id: expect.any(Number), id_str: expect.stringMatching(/^\d+$/), name: 'sample' },
  avatar: { avatar: { url: '' } },
  avatar_url: '',
  email,
  id: expect.any(Number),
  id_str: expect.stringMatching(/^\d+$/),
  last_comment_id: 0,
  last_comment_id_str: '0',
  pn_android_configured: false,
  pn_ios_configured: false,
  rtKey: '',
  token: expect.stringMatching(/^[A-Za-z0-9]{20}$/),
  username: `Name of ${email}`,
  ...more,
});

describe('the older server API', () => {
  test('200 login_or_register creates a user, and updates an existing one', async () => {
    const sent = { email: 'New@Here', username: 'Name of New@Here', password: 'p', device_token: null };
    const created = await call('post', 'login_or_register').send(sent);
    expect({ status: created.status, body: created.body }).toEqual({
      status: 200,
      body: { results: { user: user('New@Here') }, status: 200 },
    });
    expect(Object.keys(created.body.results.user)).toEqual(Object.keys(user('')).sort());
    expect(created.body.results.user.token).toBe(await service.tokenOf('new@here'));
    const changed = await call('post', 'login_or_register').send({
      ...{ email: 'new@here', username: 'Newer', password: 'p', avatar_url: 'https://n', extras: '{"b":2}' },
    });
    const picture = { avatar: { avatar: { url: 'https://n' } }, avatar_url: 'https://n' };
    expect(changed.body.results.user).toEqual(user('New@Here', { username: 'Newer', ...picture }));
    const { body } = await service.rest('get', 'user_profile').query({ user_id: 'new@here' });
    expect(body.results.user).toMatchObject({ username: 'Newer', extras: { b: 2 } });
  });

  test('200 multipart, with the app in the sub-domain, as PHP sends it', async () => {
    const { status, body } = await call('post', 'login_or_register', {
      ...{ host: 'sdksample.qiscus.com', QISCUS_SDK_SECRET: seedSecret },
    })
      .field('email', 'php@here')
      .field('password', 'p')
      .field('username', 'Name of php@here')
      .field('avatar_url', '')
      .field('device_platform', '')
      .field('device_token', '');
    expect({ status, user: body.results.user }).toEqual({ status: 200, user: user('php@here') });
  });

  test('200 user_profile has the token, reset_user_token the next one', async () => {
    const picture = { avatar: { avatar: { url: 'https://a' } }, avatar_url: 'https://a' };
    const { body } = await call('get', 'user_profile').query({ user_email: 'anna' });
    expect(body).toEqual({ results: { user: user('Anna', picture) }, status: 200 });
    const { token } = body.results.user;
    expect(token).toBe(await service.tokenOf('anna'));
    const reset = await call('post', 'reset_user_token').send({ user_email: 'ANNA' });
    expect(reset.body).toEqual({ results: { user: user('Anna', picture) }, status: 200 });
    expect(reset.body.results.user.token).not.toBe(token);
    expect(reset.body.results.user.token).toBe(await service.tokenOf('anna'));
  });

  test('200 once per Idempotency-Key', async () => {
    for (const [path, body] of [
      ['login_or_register', { email: 'once', username: 'Once', password: 'p' }],
      ['reset_user_token', { user_email: 'once' }],
    ] as const) {
      const answers = [];
      for (let time = 0; time < 2; time += 1)
        answers.push(await call('post', path).set('idempotency-key', `older ${path}`).send(body));
      expect(answers.map(({ status }) => status)).toEqual([200, 200]);
      expect(answers[1]?.text).toBe(answers[0]?.text);
      expect(answers[1]?.headers['idempotency-replayed']).toBe('true');
    }
  });

  test('401 a deactivated user cannot log in; the profile is still there', async () => {
    await service.login('gone');
    await service.rest('delete', 'deactivate_users').send({ user_ids: ['gone'] });
    const login = await call('post', 'login_or_register').send({ email: 'gone', username: 'x', password: 'password' });
    expect({ status: login.status, body: login.body }).toEqual({ status: 401, body: refused(401) });
    expect((await call('get', 'user_profile').query({ user_email: 'gone' })).body.results.user.email).toBe('gone');
  });

  test.each<[Method, string, object | undefined, number, object]>([
    ['post', 'login_or_register', { email: 'a', password: 'p', username: null }, 400, invalid(['username'])],
    ['post', 'login_or_register', {}, 400, invalid(['email', 'username'])],
    ['post', 'login_or_register', { email: 'a b', username: 'x' }, 400, invalid(['email'])],
    ['post', 'login_or_register', { email: 'a'.repeat(256), username: 'x' }, 400, invalid(['email'])],
    ['post', 'login_or_register', { email: 'anna', username: 'x' }, 400, invalid(['password'])],
    ['post', 'login_or_register', { user_id: 'anna', username: 'x' }, 400, invalid(['email'])],
    ['get', 'user_profile', undefined, 400, invalid(['user_email'])],
    ['get', 'user_profile?user_email=nobody', undefined, 404, refused(404)],
    ['post', 'reset_user_token', {}, 400, invalid(['user_email'])],
    ['post', 'reset_user_token', { user_email: 'nobody' }, 400, invalid(['user_email'])],
    ['get', 'nothing', undefined, 404, refused(404)],
    ['get', 'reset_user_token', undefined, 405, refused(405)],
  ])('%s %s %j: %i', async (method, path, body, status, expected) => {
    const response = await call(method, path).send(body);
    expect({ status: response.status, body: response.body }).toEqual({ status, body: expected });
  });

  test('400 the message names the parameter as in this version', async () => {
    const { body } = await call('post', 'login_or_register').send({ email: 'a b', username: 'x' });
    expect(body.error.detailed_messages).toEqual([expect.stringMatching(/^email cannot contain symbols/)]);
  });

  test.each<[string, object, number]>([
    ['an unknown app and a wrong secret', { 'QISCUS-SDK-APP-ID': 'nobody', 'QISCUS-SDK-SECRET': 'wrong' }, 400],
    ['no secret', { 'QISCUS-SDK-APP-ID': 'sdksample' }, 401],
    ['a wrong secret', { ...secret, 'QISCUS-SDK-SECRET': 'f'.repeat(32) }, 401],
    ['a user token', { 'QISCUS-SDK-APP-ID': 'sdksample', 'QISCUS-SDK-TOKEN': 'A'.repeat(20) }, 401],
  ])('%s: shape B, without a number', async (_name, headers, status) => {
    const response = await call('get', 'user_profile?user_email=anna', headers);
    expect({ status: response.status, body: response.body }).toEqual({ status, body: refused(status) });
  });
});
