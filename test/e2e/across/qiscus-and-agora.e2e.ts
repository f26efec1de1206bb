import request from 'supertest';
import { AppsService } from '../../../src/apps/apps.service.js';
import { TokensService } from '../../../src/auth/tokens.service.js';
import { GatewayClient } from '../../support/gateway-client.js';
import { eventually } from '../../support/message-client.js';
import type { Method } from '../../support/start-app.js';
import { invalid, type QiscusService, seedSecret, startQiscus } from '../qiscus/qiscus-service.js';

let service: QiscusService;
let path: string;
let appToken: string;

beforeAll(async () => {
  service = await startQiscus();
  const { nest } = service.running;
  service = { ...service, app: await nest.get(AppsService).set(service.app, 'rate_profile', 'off') };
  path = `/${service.app.org}/${service.app.name}`;
  appToken = nest.get(TokensService).issueAppToken(service.app, 0).accessToken;
});
afterAll(() => service.stop());

const agora = (method: Method, rest: string) =>
  request(service.running.url)[method](`${path}${rest}`).set('authorization', `Bearer ${appToken}`);
const agoraUser = async (name: string) => (await agora('get', `/users/${encodeURIComponent(name)}`)).body.entities?.[0];
const register = (username: string, more: object = {}) =>
  agora('post', '/users').send({ username, password: 'secret', ...more });
const profile = (userId: string) => service.rest('get', 'user_profile').query({ user_id: userId });
const online = (token: string) => GatewayClient.login(service.running.url, path, token);
const setActive = (userIds: string[], active: boolean) =>
  service
    .rest(active ? 'post' : 'delete', active ? 'reactivate_users' : 'deactivate_users')
    .send({ user_ids: userIds });

describe('one user across both dialects', () => {
  test('200 for a user created through Qiscus with an email as the name: Agora finds, changes and deletes it', async () => {
    await service.login('Maria@Example.com', { username: 'María', extras: { a: 1 } });
    expect(await agoraUser('maria@example.com')).toMatchObject({
      username: 'maria@example.com',
      nickname: 'María',
      activated: true,
    });
    const listed = (await agora('get', '/users?limit=100')).body.entities.map((user: any) => user.username);
    expect(listed).toContain('maria@example.com');
    await agora('put', '/users/maria@example.com').send({ nickname: 'Mary' });
    expect((await profile('maria@example.com')).body.results.user).toEqual({
      active: true,
      avatar_url: '',
      extras: { a: 1 },
      user_id: 'Maria@Example.com',
      username: 'Mary',
    });
    const deleted = await agora('delete', '/users/MARIA@example.com');
    expect(deleted.body.entities[0].username).toBe('maria@example.com');
    expect((await profile('maria@example.com')).status).toBe(404);
    // The name is free, and its next owner inherits nothing.
    await service.login('maria@example.com', { username: 'Another' });
    expect((await profile('maria@example.com')).body.results.user).toMatchObject({
      extras: {},
      user_id: 'maria@example.com',
    });
  });

  test('200 for a user created through Agora: Qiscus finds, lists and changes it', async () => {
    await register('Tom', { nickname: 'Tommy' });
    expect((await profile('TOM')).body.results.user).toEqual({
      active: true,
      avatar_url: '',
      extras: {},
      user_id: 'tom',
      username: 'Tommy',
    });
    await register('nameless');
    expect((await profile('nameless')).body.results.user.username).toBe('nameless');
    const { users } = (await service.rest('get', 'get_user_list')).body.results;
    const entity = await agoraUser('nameless');
    expect(users[0]).toMatchObject({
      email: 'nameless',
      created_at: new Date(entity.created).toISOString().replace('Z', '000Z'),
    });
    await service.login('Tom', { username: 'Thomas', avatar_url: 'https://t' });
    expect(await agoraUser('tom')).toMatchObject({ nickname: 'Thomas' });
    expect((await profile('tom')).body.results.user).toMatchObject({ avatar_url: 'https://t', user_id: 'tom' });
  });

  test('400 or 401 for a name that exists, whichever dialect registered it first', async () => {
    await register('shared');
    expect((await service.rest('post', 'login_or_register').send({ user_id: 'Shared', username: 'x' })).status).toBe(
      400,
    );
    await service.login('taken@here');
    const calls = [1, 2, 3, 4].map(() =>
      service.rest('post', 'login_or_register').send({ user_id: 'twins', username: 'x' }),
    );
    const both = await Promise.all([...calls, ...[1, 2, 3, 4].map(() => register('Twins'))]);
    expect(both.filter((response) => response.status === 200)).toHaveLength(1);
  });

  test('200 in either dialect with a password set in the other', async () => {
    await service.login('pass', { password: 'from qiscus' });
    const byPassword = (password: string) =>
      request(service.running.url).post(`${path}/token`).send({ grant_type: 'password', username: 'pass', password });
    expect((await byPassword('from qiscus')).status).toBe(200);
    await agora('put', '/users/pass/password').send({ newpassword: 'from agora' });
    const signIn = (password: string) =>
      request(service.running.url)
        .post('/api/v2/sdk/login_or_register')
        .set('QISCUS-SDK-APP-ID', 'sdksample')
        .send({ email: 'pass', password });
    expect((await signIn('from qiscus')).status).toBe(401);
    expect((await signIn('from agora')).status).toBe(200);
  });

  test('200 and `activated` and `active` agree, whichever dialect changed them', async () => {
    await register('flag');
    for (const [change, expected] of [
      [() => agora('post', '/users/flag/deactivate'), false],
      [() => setActive(['flag'], true), true],
      [() => setActive(['flag'], false), false],
      [() => agora('post', '/users/flag/activate'), true],
    ] as const) {
      expect((await change()).status).toBe(200);
      expect((await agoraUser('flag')).activated).toBe(expected);
      expect((await profile('flag')).body.results.user.active).toBe(expected);
    }
  });
});

describe('a Qiscus user token at the gateway', () => {
  test('opens a session, and users/status and Agora report the user as online', async () => {
    await service.login('Live@Here');
    const token = await service.tokenOf('live@here');
    const client = await online(token);
    expect(client.frames[0]).toMatchObject({ type: 'ready', username: 'live@here' });
    const status = await request(service.running.url)
      .post('/api/v2/sdk/users/status')
      .set({ 'QISCUS-SDK-APP-ID': 'sdksample', 'QISCUS-SDK-TOKEN': token })
      .send({ user_ids: ['Live@Here', 'tom'] });
    expect(status.body.results.user_status.map((one: any) => one.status)).toEqual([1, 0]);
    expect((await agora('get', '/users/live@here/status')).body.data).toEqual({ 'live@here': 'online' });
    await client.close();
  });

  test.each<[string, string, () => PromiseLike<unknown>, boolean]>([
    ['a reset', 'token_revoked', () => service.rest('post', 'reset_user_token').send({ user_id: 'ends' }), false],
    ['a deactivation', 'banned', () => setActive(['ends'], false), false],
    ['Agora’s deactivation', 'banned', () => agora('post', '/users/ends/deactivate'), false],
    ['another password', 'password_changed', () => service.login('ends', { password: 'another' }), true],
    ['Agora’s deletion', 'deleted', () => agora('delete', '/users/ends'), false],
  ])('%s closes the session as `%s`', async (_name, reason, end, tokenStays) => {
    await setActive(['ends'], true);
    await service.login('ends', { password: 'one' });
    const token = await service.tokenOf('ends');
    const client = await online(token);
    await end();
    await client.closed;
    expect(client.frames.at(-1)).toMatchObject({ type: 'kicked', reason });
    if (tokenStays) await (await online(token)).close();
    else await expect(online(token)).rejects.toThrow(/instead of ready/);
  });

  test('setting the same password again closes no session', async () => {
    await service.login('stays', { password: 'same' });
    const client = await online(await service.tokenOf('stays'));
    await service.login('stays', { password: 'same', username: 'Renamed' });
    client.send({ type: 'ping' });
    expect(await client.next()).toEqual({ type: 'pong' });
    await client.close();
  });

  test('is rejected in another app', async () => {
    await service.login('elsewhere');
    const { url, path: other } = service.running;
    await expect(GatewayClient.login(url, other, await service.tokenOf('elsewhere'))).rejects.toThrow(/instead of ready/);
  });
});

describe('unread', () => {
  const send = async (to: string[]) =>
    (await agora('post', '/messages/users').send({ from: 'tom', to, type: 'txt', body: { msg: 'x' } })).body;
  const unread = async (query: object = {}) =>
    (await service.rest('get', 'get_user_unread_count').query({ user_ids: ['Uma', 'Vic', 'nobody'], ...query })).body
      .results.user_unread_count;
  const unreadUsers = async (query: object = {}) =>
    (await service.rest('get', 'get_unread_users').query(query)).body.results.user_ids;
  const second = (ms: number) => new Date(ms).toISOString().slice(0, 19).replace('T', ' ');

  test('200 and messages sent through Agora count until the user has read them; an ack alone is not a read', async () => {
    await service.login('Uma');
    await service.login('Vic');
    expect(await unread()).toEqual([
      { unread_count: 0, user_id: 'Uma' },
      { unread_count: 0, user_id: 'Vic' },
    ]);
    await send(['uma', 'vic']);
    await send(['uma']);
    expect(await unread()).toEqual([
      { unread_count: 2, user_id: 'Uma' },
      { unread_count: 1, user_id: 'Vic' },
    ]);
    expect((await unreadUsers()).sort()).toEqual(['Uma', 'Vic']);

    const client = await online(await service.tokenOf('uma'));
    const messages = [await client.next(), await client.next()];
    for (const { id } of messages) client.send({ type: 'ack', id });
    await eventually(async () =>
      expect((await agora('get', '/users/uma/offline_msg_count?state=undelivered')).body.data).toEqual({ uma: 0 }),
    );
    expect((await unread())[0]).toEqual({ unread_count: 2, user_id: 'Uma' });
    client.send({ type: 'read', id: messages[1]?.id });
    await eventually(async () => expect((await unread())[0]).toEqual({ unread_count: 0, user_id: 'Uma' }));
    expect(await unreadUsers()).toEqual(['Vic']);
    await client.close();
  });

  test('200 for a window in whole seconds UTC, both ends inclusive', async () => {
    await service.login('Vic');
    const now = Date.now();
    for (const [start, end, found] of [
      [now - 60_000, now + 60_000, true],
      [now - 60_000, undefined, true],
      [undefined, now + 60_000, true],
      [now + 60_000, undefined, false],
      [undefined, now - 3_600_000, false],
    ] as const) {
      const window = {
        ...(start === undefined ? {} : { start_time: second(start) }),
        ...(end === undefined ? {} : { end_time: second(end) }),
      };
      expect((await unread(window))[1]).toEqual({ unread_count: found ? 1 : 0, user_id: 'Vic' });
      expect(await unreadUsers(window)).toEqual(found ? ['Vic'] : []);
    }
  });

  test('200 for pages that list each user once; a limit out of range means 100', async () => {
    const names = Array.from({ length: 7 }, (_none, index) => `reader-${index}`);
    for (const name of names) await service.login(name);
    await send(names);
    const pages = await Promise.all([1, 2, 3].map((page) => unreadUsers({ page, limit: 3 })));
    expect(pages.flat().sort()).toEqual([...names, 'Vic'].sort());
    for (const limit of [0, 101, 'x']) expect(await unreadUsers({ limit })).toHaveLength(8);
    expect(await unreadUsers({ page: 9 })).toEqual([]);
  });
});

describe('unread counts by sender', () => {
  const send = (from: string, to: string) =>
    agora('post', '/messages/users').send({ from, to: [to], type: 'txt', body: { msg: 'x' } });
  const counts = async (query: object = {}) =>
    (await service.rest('get', 'get_unread_count').query({ user_id: 'Rea', ...query })).body.results.unread_counts;
  const idOf = async (userId: string): Promise<string> => {
    const { users } = (await service.rest('get', 'get_user_list').query({ limit: 100 })).body.results;
    return String(users.find((user: any) => user.email === userId).id);
  };

  test('200 with one room per sender, numbered by the id of the sender; 0 for unknown senders', async () => {
    for (const name of ['Rea', 'Ann', 'Ben']) await service.login(name);
    expect(await counts()).toEqual([]);
    for (const from of ['ann', 'system', 'Ben', 'ann', 'Rea', 'another']) await send(from, 'rea');
    const [ann, ben] = [await idOf('Ann'), await idOf('Ben')];
    const annRoom = { room_id: ann, unread_count: 2 };
    const benRoom = { room_id: ben, unread_count: 1 };
    const unknownRoom = { room_id: '0', unread_count: 2 };
    expect(await counts()).toEqual([annRoom, benRoom, unknownRoom]);
    expect(await counts({ 'room_ids[]': [ben, '0', '17'] })).toEqual([benRoom, unknownRoom]);
    expect(await counts({ 'room_channel_ids[]': ['ANN', 'nobody'] })).toEqual([annRoom]);
    expect(await counts({ room_ids: '0', room_channel_ids: 'ann' })).toEqual([annRoom, unknownRoom]);

    // A new owner of a deleted user's name has not sent the messages of its previous owner.
    await agora('delete', '/users/ann');
    await service.login('Ann');
    expect(await counts()).toEqual([benRoom, { room_id: '0', unread_count: 4 }]);
    await send('ann', 'rea');
    expect(await counts({ room_channel_ids: 'ann' })).toEqual([{ room_id: await idOf('Ann'), unread_count: 1 }]);

    const client = await online(await service.tokenOf('rea'));
    const messages = await Promise.all(Array.from({ length: 7 }, () => client.next()));
    client.send({ type: 'read', id: messages.at(-2)?.id });
    await eventually(async () => expect(await counts()).toEqual([{ room_id: await idOf('Ann'), unread_count: 1 }]));
    await client.close();
  });

  test('400 for an unknown user, without a user, and for too many rooms', async () => {
    for (const [query, member] of [
      [{ user_id: 'nobody' }, 'user_id'],
      [{ user_id: '' }, 'user_id'],
      [{ room_ids: Array(501).fill('1') }, 'room_ids'],
    ] as const) {
      const { status, body } = await service.rest('get', 'get_unread_count').send({ user_id: 'Rea', ...query });
      expect({ status, body }).toEqual({ status: 400, body: invalid([member]) });
    }
  });
});

test('200 in both dialects with the App certificate as the secret', async () => {
  const response = await request(service.running.url)
    .post(`${path}/token`)
    .send({ grant_type: 'client_credentials', client_id: service.app.appId, client_secret: seedSecret });
  expect(response.status).toBe(200);
});
