import request from 'supertest';
import { TokensService } from '../../../src/auth/tokens.service.js';
import { UsersService } from '../../../src/users/users.service.js';
import { invalid, type QiscusService, refused, startQiscus } from './qiscus-service.js';

let service: QiscusService;

beforeAll(async () => {
  service = await startQiscus();
});
afterAll(() => service.stop());

const sdk = (method: 'get' | 'post' | 'patch', path: string, token: string) =>
  request(service.running.url)[method](`/api/v2/sdk/${path}`).set({
    'QISCUS-SDK-APP-ID': 'sdksample',
    'QISCUS-SDK-TOKEN': token,
  });
/** Registers a user and returns the user token. */
async function loggedIn(userId: string, more: Readonly<Record<string, unknown>> = {}): Promise<string> {
  await service.login(userId, more);
  return service.tokenOf(userId);
}

describe('my_profile', () => {
  test('200 the calling user, as in the login', async () => {
    const token = await loggedIn('Anna', { password: 'secret', extras: { a: 1 } });
    const login = await request(service.running.url)
      .post('/api/v2/sdk/login_or_register')
      .set('QISCUS-SDK-APP-ID', 'sdksample')
      .send({ email: 'anna', password: 'secret' });
    for (const prefix of ['sdk', 'mobile']) {
      const { status, body } = await request(service.running.url)
        .get(`/api/v2/${prefix}/my_profile`)
        .set({ 'QISCUS-SDK-APP-ID': 'sdksample', 'QISCUS-SDK-TOKEN': token, 'QISCUS-SDK-USER-EMAIL': 'anna' });
      expect({ status, body }).toEqual({ status: 200, body: login.body });
      expect(body.results.user).toMatchObject({ email: 'Anna', token, extras: { a: 1 } });
    }
  });

  test('200 a token that expires cannot be exchanged for one that does not', async () => {
    await loggedIn('short');
    const user = await service.running.nest.get(UsersService).find(service.app.id, 'short');
    const { accessToken } = service.running.nest.get(TokensService).issueUserToken(service.app, user as never, 60);
    const { status, body } = await sdk('get', 'my_profile', accessToken);
    expect({ status, user: body.results.user }).toMatchObject({
      status: 200,
      user: { email: 'short', token: accessToken, refresh_token: '' },
    });
  });

  test('200 PATCH changes the given members and keeps the rest', async () => {
    const token = await loggedIn('Pat', { avatar_url: 'https://p', extras: { a: 1 } });
    const readProfile = async () =>
      (await service.rest('get', 'user_profile').query({ user_id: 'pat' })).body.results.user as object;
    for (const [sent, expected] of [
      [{ name: 'Patty' }, { username: 'Patty', avatar_url: 'https://p', extras: { a: 1 } }],
      [
        { name: '', avatar_url: 'https://q', extras: '' },
        { username: 'Patty', avatar_url: 'https://q', extras: { a: 1 } },
      ],
      [
        { name: null, avatar_url: null, extras: '{"b":2}' },
        { username: 'Patty', avatar_url: 'https://q', extras: { b: 2 } },
      ],
      [{ extras: { c: 3 } }, { username: 'Patty', avatar_url: 'https://q', extras: { c: 3 } }],
      [{}, { username: 'Patty', avatar_url: 'https://q', extras: { c: 3 } }],
    ] as const) {
      const { status, body } = await sdk('patch', 'my_profile', token).send(sent);
      expect({ status, user: body.results.user }).toMatchObject({
        status: 200,
        user: { token, email: 'Pat', ...expected },
      });
      expect(await readProfile()).toMatchObject(expected);
    }
    const form = sdk('patch', 'my_profile', token).type('form').send({ name: 'Form', extras: '{"d":4}' });
    expect((await form).body.results.user).toMatchObject({ username: 'Form', extras: { d: 4 } });
  });

  test('200 once per Idempotency-Key, and each user has their own keys', async () => {
    const [one, other] = [await loggedIn('one'), await loggedIn('other')];
    const send = (token: string) =>
      sdk('patch', 'my_profile', token).set('idempotency-key', 'mine').send({ name: 'Named' });
    const [first, again, others] = [await send(one), await send(one), await send(other)];
    expect([again.text, again.headers['idempotency-replayed']]).toEqual([first.text, 'true']);
    expect(first.body.results.user.email).toBe('one');
    expect([others.body.results.user.email, others.headers['idempotency-replayed']]).toEqual(['other', undefined]);
  });

  test.each<[object, readonly string[]]>([
    [{ name: 'x'.repeat(256) }, ['name']],
    [{ avatar_url: 'x'.repeat(2_049) }, ['avatar_url']],
    [{ extras: [1] }, ['extras']],
    [{ extras: { a: 'x'.repeat(16_400) } }, ['extras']],
    [{ name: {}, avatar_url: {}, extras: 'text' }, ['name', 'avatar_url', 'extras']],
  ])('400 PATCH %j', async (sent, members) => {
    const { status, body } = await sdk('patch', 'my_profile', await loggedIn('strict')).send(sent);
    expect({ status, body }).toEqual({ status: 400, body: invalid(members) });
  });
});

describe('get_user_list', () => {
  const emails = async (query: object) => {
    const { status, body } = await sdk('get', 'get_user_list', await service.tokenOf('lister')).query(query);
    expect(status).toBe(200);
    return { ...body.results.meta, emails: body.results.users.map((user: any) => user.email as string) };
  };

  beforeAll(async () => {
    await loggedIn('lister');
    for (const name of ['Find-1', 'find-2', 'other-3']) await service.login(name, { username: name });
    await service.login('by-name', { username: 'A FINDER' });
    await service.rest('delete', 'deactivate_users').send({ user_ids: ['find-2'] });
  });

  test('200 all users as in the server API, deactivated ones included', async () => {
    const { body } = await sdk('get', 'get_user_list', await service.tokenOf('lister')).query({ limit: 100 });
    const { body: listed } = await service.rest('get', 'get_user_list').query({ limit: 100 });
    expect(body).toEqual(listed);
    expect(body.results.users.find((user: any) => user.email === 'find-2')).toMatchObject({ active: false });
  });

  test('200 with a query, which matches the display name or the user id, in any case', async () => {
    const found = ['by-name', 'find-2', 'Find-1'];
    expect(await emails({ query: 'fInD' })).toEqual({ total_data: 3, total_page: 0, emails: found });
    expect(await emails({ query: 'find', page: 2, limit: 2 })).toEqual({
      ...{ total_data: 3, total_page: 1, emails: ['Find-1'] },
    });
    expect((await emails({ query: 'find', order_query: 'username asc' })).emails).toEqual([
      'by-name',
      'Find-1',
      'find-2',
    ]);
    expect((await emails({ query: 'find', order_query: 'email desc', page: 0 })).emails).toEqual([
      ...['find-2', 'Find-1', 'by-name'],
    ]);
    expect((await emails({ query: '%' })).emails).toEqual([]);
    expect((await emails({ query: 'find', page: 999_999_999_999_999 })).emails).toEqual([]);
    expect((await emails({ query: '', limit: 1 })).emails).toHaveLength(1);
  });

  test('200 with the parameters in the body of a GET, as Flutter sends them', async () => {
    const { body } = await sdk('get', 'get_user_list', await service.tokenOf('lister')).send({
      ...{ page: 1, limit: 1, query: 'other-3' },
    });
    expect(body.results.users.map((user: any) => user.email)).toEqual(['other-3']);
  });

  test('400 an invalid order', async () => {
    const { status, body } = await sdk('get', 'get_user_list', await service.tokenOf('lister')).query({
      order_query: 'password_hash',
    });
    expect({ status, body }).toEqual({ status: 400, body: invalid(['order_query']) });
  });
});

describe('block_user, unblock_user, get_blocked_users', () => {
  const other = (email: string) => ({
    avatar: { avatar: { url: '' } },
    avatar_url: '',
    email,
    extras: {},
    id: expect.any(Number),
    id_str: expect.stringMatching(/^\d+$/),
    username: `Name of ${email}`,
  });
  const blocked = async (token: string, query: object = {}) => {
    const { body } = await sdk('get', 'get_blocked_users', token).query(query);
    expect(body.results.users).toEqual(body.results.blocked_users);
    return { total: body.results.total, emails: body.results.users.map((user: any) => user.email as string) };
  };

  test('200 the list has the blocked users, newest first, until they are unblocked', async () => {
    const token = await loggedIn('blocker');
    const names = ['B-one', 'b-two', 'b-three'];
    for (const name of names) {
      await service.login(name);
      const { status, body } = await sdk('post', 'block_user', token).type('form').send({ user_email: name });
      expect({ status, body }).toEqual({ status: 200, body: { results: { user: other(name) }, status: 200 } });
    }
    // Repeating it changes nothing, in whatever case.
    expect((await sdk('post', 'block_user', token).send({ user_email: 'B-ONE' })).status).toBe(200);
    expect(await blocked(token)).toEqual({ total: 3, emails: [...names].reverse() });
    expect(await blocked(token, { page: 2, limit: 2 })).toEqual({ total: 3, emails: ['B-one'] });
    expect(await blocked(token, { page: 9, limit: 101 })).toEqual({ total: 3, emails: [] });
    const { body } = await sdk('post', 'unblock_user', token).send({ user_email: 'b-two' });
    expect(body).toEqual({ results: { user: other('b-two') }, status: 200 });
    expect((await sdk('post', 'unblock_user', token).send({ user_email: 'b-two' })).status).toBe(200);
    expect(await blocked(token)).toEqual({ total: 2, emails: ['b-three', 'B-one'] });
    expect(await blocked(await service.tokenOf('b-one'))).toEqual({ total: 0, emails: [] });
  });

  test('200 messages of a blocked user do not arrive, and a new owner of a deleted name is not blocked', async () => {
    const token = await loggedIn('quiet');
    await service.login('loud');
    await sdk('post', 'block_user', token).send({ user_email: 'loud' });
    const appToken = service.running.nest.get(TokensService).issueAppToken(service.app, 0).accessToken;
    const send = () =>
      request(service.running.url)
        .post(`/${service.app.org}/${service.app.name}/messages/users`)
        .set('authorization', `Bearer ${appToken}`)
        .send({ from: 'loud', to: ['quiet'], type: 'txt', body: { msg: 'x' } });
    const unread = async () =>
      (await service.rest('get', 'get_user_unread_count').query({ user_ids: 'quiet' })).body.results
        .user_unread_count[0].unread_count as number;
    await send();
    expect(await unread()).toBe(0);
    await service.running.nest.get(UsersService).delete(service.app.id, 'loud');
    expect(await blocked(token)).toEqual({ total: 0, emails: [] });
    await service.login('loud');
    expect(await blocked(token)).toEqual({ total: 0, emails: [] });
    await send();
    expect(await unread()).toBe(1);
  });

  test('200 once per Idempotency-Key', async () => {
    const token = await loggedIn('keyed');
    await service.login('keyed-other');
    for (const path of ['block_user', 'unblock_user']) {
      const send = () => sdk('post', path, token).set('idempotency-key', path).send({ user_email: 'keyed-other' });
      const [first, again] = [await send(), await send()];
      expect([again.status, again.text, again.headers['idempotency-replayed']]).toEqual([200, first.text, 'true']);
    }
    expect((await blocked(token)).total).toBe(0);
  });

  test.each<[string, object, number, object]>([
    ['block_user', {}, 400, invalid(['user_email'])],
    ['block_user', { user_email: {} }, 400, invalid(['user_email'])],
    ['block_user', { user_email: 'Selfish' }, 400, invalid(['request'])],
    ['block_user', { user_email: 'nobody' }, 404, refused(404)],
    ['unblock_user', {}, 400, invalid(['user_email'])],
    ['unblock_user', { user_email: 'nobody' }, 404, refused(404)],
  ])('%s %j: %i', async (path, sent, status, expected) => {
    const response = await sdk('post', path, await loggedIn('selfish')).send(sent);
    expect({ status: response.status, body: response.body }).toEqual({ status, body: expected });
  });

  test('404 a uuid in place of the user id: this dialect knows only names', async () => {
    const token = await loggedIn('by-uuid');
    const user = await service.running.nest.get(UsersService).find(service.app.id, 'by-uuid');
    const { status, body } = await sdk('post', 'unblock_user', token).send({ user_email: user?.uuid });
    expect({ status, body }).toEqual({ status: 404, body: refused(404) });
  });
});

test.each<['get' | 'post' | 'patch', string]>([
  ['get', 'my_profile'],
  ['patch', 'my_profile'],
  ['get', 'get_user_list'],
  ['get', 'get_blocked_users'],
  ['post', 'unblock_user?user_email=ends'],
])('401 with its number: %s %s with a wrong token, after a ban, and of a deleted user', async (method, path) => {
  const token = await loggedIn('ends');
  const call = async (readProfile = token) => {
    const { status, body } = await sdk(method, path, readProfile);
    return { status, body };
  };
  expect((await call()).status).toBe(200);
  expect(await call('A'.repeat(20))).toEqual({ status: 401, body: refused(401, 401301) });
  await service.rest('delete', 'deactivate_users').send({ user_ids: ['ends'] });
  expect(await call()).toEqual({ status: 401, body: refused(401, 401300) });
  await service.running.nest.get(UsersService).delete(service.app.id, 'ends');
  // Another user has the name now, but not the token.
  await service.login('ends');
  expect(await call()).toEqual({ status: 401, body: refused(401, 401301) });
});
