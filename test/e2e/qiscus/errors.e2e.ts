import request from 'supertest';
import { AppsService } from '../../../src/apps/apps.service.js';
import type { Method } from '../../support/start-app.js';
import { type QiscusService, invalid, refused, seedSecret, startQiscus } from './qiscus-service.js';

let service: QiscusService;

beforeAll(async () => {
  service = await startQiscus();
  await service.login('anna');
});
afterAll(() => service.stop());

const call = (method: Method, path: string) => request(service.running.url)[method](path);

describe('caller identification', () => {
  const url = '/api/v2.1/rest/user_profile?user_id=anna';
  test.each<[string, Record<string, string>, number]>([
    ['an unknown app and a wrong secret', { 'QISCUS-SDK-APP-ID': 'nobody', 'QISCUS-SDK-SECRET': 'wrong' }, 400],
    ['an unknown app and a good secret', { 'QISCUS-SDK-APP-ID': 'nobody', 'QISCUS-SDK-SECRET': seedSecret }, 400],
    ['an unknown app by the sub-domain', { host: 'nobody.qiscus.com', 'QISCUS-SDK-SECRET': 'wrong' }, 400],
    ['no header at all', {}, 400],
    ['a secret that no app has', { 'QISCUS-SDK-SECRET': 'f'.repeat(32) }, 400],
    ['a known app and no secret', { 'QISCUS-SDK-APP-ID': 'sdksample' }, 401],
    ['a known app and an empty secret', { 'QISCUS-SDK-APP-ID': 'sdksample', 'QISCUS-SDK-SECRET': '' }, 401],
  ])('%s: shape B', async (_name, headers, status) => {
    const response = await call('get', url).set(headers);
    expect({ status: response.status, body: response.body }).toEqual({ status, body: refused(status) });
  });

  test.each<[string, () => string]>([
    ['a wrong secret', () => 'f'.repeat(32)],
    ['the secret of another app', () => service.running.app.certificates[0] as string],
  ])('401 %s', async (_name, secret) => {
    const response = await call('get', url).set({ 'QISCUS-SDK-APP-ID': 'sdksample', 'QISCUS-SDK-SECRET': secret() });
    expect({ status: response.status, body: response.body }).toEqual({ status: 401, body: refused(401) });
    expect(response.body.error.message).toBe('Unauthorized');
  });

  test('400 the secret alone, when two apps have the same one', async () => {
    const certificate = 'abcd'.repeat(8);
    for (const name of ['one', 'two'])
      await service.running.nest.get(AppsService).create({ org: 'twins', name, certificate });
    const response = await call('get', url).set('QISCUS-SDK-SECRET', certificate);
    expect({ status: response.status, body: response.body }).toEqual({ status: 400, body: refused(400) });
  });

  test('403 a disabled app', async () => {
    const apps = service.running.nest.get(AppsService);
    const app = await apps.create({ org: 'off', name: 'off', alias: 'off' });
    await apps.set(app, 'disabled', 'true');
    const headers = { 'QISCUS-SDK-APP-ID': 'off', 'QISCUS-SDK-SECRET': app.certificates[0] as string };
    expect((await call('get', url).set(headers)).body).toEqual(refused(403));
  });

  test('200 both certificates during a rotation', async () => {
    const apps = service.running.nest.get(AppsService);
    const app = await apps.rotate(await apps.create({ org: 'rotates', name: 'app' }));
    for (const secret of app.certificates)
      expect(
        (
          await call('get', '/api/v2.1/rest/get_user_list').set({
            QISCUS_SDK_APP_ID: app.appId,
            QISCUS_SDK_SECRET: secret,
          })
        ).status,
      ).toBe(200);
  });

  test('404 a user of another app does not exist', async () => {
    await service.running.register('stranger');
    expect((await service.rest('get', 'user_profile').query({ user_id: 'stranger' })).body).toEqual(refused(404));
  });
});

describe('which route returns which error shape', () => {
  test.each<[Method, string, object | undefined, number, object]>([
    ['post', 'login_or_register', { user_id: 'new', username: null }, 400, invalid(['username'])],
    ['post', 'login_or_register', { username: 'x' }, 400, invalid(['user_id'])],
    ['post', 'login_or_register', { user_id: '', username: 'x' }, 400, invalid(['user_id'])],
    ['post', 'login_or_register', { user_id: 'a b', username: 'x' }, 400, invalid(['user_id'])],
    ['post', 'login_or_register', { user_id: '""', username: 'x' }, 400, invalid(['user_id'])],
    ['post', 'login_or_register', { user_id: '..', username: 'x' }, 400, invalid(['user_id'])],
    ['post', 'login_or_register', { user_id: 'é', username: 'x' }, 400, invalid(['user_id'])],
    ['post', 'login_or_register', { user_id: 'a'.repeat(256), username: 'x' }, 400, invalid(['user_id'])],
    ['post', 'login_or_register', { user_id: 'new', username: 'x'.repeat(256) }, 400, invalid(['username'])],
    [
      'post',
      'login_or_register',
      { user_id: 'new', username: 'x', password: 'é'.repeat(33) },
      400,
      invalid(['password']),
    ],
    [
      'post',
      'login_or_register',
      { user_id: 'new', username: 'x', avatar_url: 'x'.repeat(2049) },
      400,
      invalid(['avatar_url']),
    ],
    ['post', 'login_or_register', { user_id: 'new', username: 'x', extras: [1] }, 400, invalid(['extras'])],
    [
      'post',
      'login_or_register',
      { user_id: 'new', username: 'x', extras: { a: 'x'.repeat(16_400) } },
      400,
      invalid(['extras']),
    ],
    ['post', 'login_or_register', { user_id: 'anna', username: 'x' }, 400, invalid(['password'])],
    ['post', 'login_or_register', { user_id: 'anna', username: 'x', password: '' }, 400, invalid(['password'])],
    ['post', 'login_or_register', { user_id: 'ANNA', username: 'x', password: null }, 400, invalid(['password'])],
    ['get', 'user_profile?user_id=nobody', undefined, 404, refused(404)],
    ['get', 'user_profile?user_id=%22%22', undefined, 404, refused(404)],
    ['get', 'user_profile', undefined, 400, invalid(['user_id'])],
    ['get', 'get_user_token?user_id=nobody', undefined, 404, refused(404)],
    ['get', 'get_user_token', undefined, 400, invalid(['user_id'])],
    ['post', 'reset_user_token', { user_id: 'nobody' }, 400, invalid(['user_id'])],
    ['post', 'reset_user_token', {}, 400, invalid(['user_id'])],
    ['get', 'get_user_list?order_query=password_hash', undefined, 400, invalid(['order_query'])],
    ['get', 'get_user_list?order_query=id;drop+table+users', undefined, 400, invalid(['order_query'])],
    ['get', 'get_user_unread_count', undefined, 400, invalid(['user_ids'])],
    ['get', 'get_user_unread_count?user_ids[]=', undefined, 400, invalid(['user_ids'])],
    ['get', 'get_user_unread_count?user_ids=a&start_time=yesterday', undefined, 400, invalid(['start_time'])],
    ['get', 'get_unread_users?end_time=2026-02-31+00:00:00', undefined, 400, invalid(['end_time'])],
    ['delete', 'deactivate_users', { user_ids: [] }, 400, invalid(['user_ids'])],
    ['delete', 'deactivate_users', { user_ids: ['nobody', 'noone'] }, 400, invalid(['user_ids'])],
    ['delete', 'deactivate_users', { user_ids: Array(501).fill('a') }, 400, invalid(['user_ids'])],
    ['delete', 'deactivate_users', { user_ids: [{}] }, 400, invalid(['user_ids'])],
    ['post', 'reactivate_users', { user_ids: ['nobody'] }, 400, invalid(['user_ids'])],
  ])('%s %s %j: %i', async (method, path, body, status, expected) => {
    const response = await service.rest(method, path).send(body);
    expect({ status: response.status, body: response.body }).toEqual({ status, body: expected });
    expect(response.headers['content-type']).toMatch(/^application\/json/);
  });
});

describe('no client ever gets any other shape', () => {
  test.each<[Method, string, number]>([
    ['get', '/api/v2.1/rest/nothing', 404],
    ['get', '/api', 404],
    ['get', '/api/', 404],
    ['post', '/api/v3/users', 404],
    ['get', '/api/v2.1/rest/user_profile/%zz', 400],
    ['post', '/api/v2.1/rest/user_profile', 405],
    ['get', '/api/v2.1/rest/login_or_register', 405],
    ['patch', '/api/v2.1/rest/get_user_list', 405],
  ])('%s %s: %i in JSON', async (method, path, status) => {
    const response = await call(method, path);
    expect(response.status).toBe(status);
    expect(response.headers['content-type']).toMatch(/^application\/json/);
    expect(response.body).toEqual(status === 400 ? invalid(['request']) : refused(status));
  });

  test('405 names the supported methods', async () => {
    const response = await call('patch', '/api/v2.1/rest/get_user_list');
    expect(response.headers.allow?.split(', ').sort()).toEqual(['GET', 'HEAD', 'POST']);
  });

  test('413 a body that is too large', async () => {
    const response = await service.rest('post', 'login_or_register').send({ user_id: 'x'.repeat(70_000) });
    expect({ status: response.status, body: response.body }).toEqual({ status: 413, body: refused(413) });
  });

  test('404 the other dialect still has its own shape', async () => {
    expect((await call('get', '/apis/none/users')).body).toMatchObject({ exception: expect.any(String) });
  });
});
