import { AppsService } from '../../../src/apps/apps.service.js';
import { MessagesService } from '../../../src/messages/messages.service.js';
import { OfflineMessagesService } from '../../../src/offline-messages/offline-messages.service.js';
import { UsersService } from '../../../src/users/users.service.js';
import { agoraErrors, expectError, expectOrder } from '../../support/agora-answers.js';
import { FixedClock } from '../../support/fixed-clock.js';
import { eventually, MessageClient } from '../../support/message-client.js';
import { type RunningApp, startApp } from '../../support/start-app.js';

const dayMs = 24 * 3600 * 1000;

describe('offline messages', () => {
  const clock = new FixedClock();
  let service: RunningApp;
  const send = async (to: string, msg = 'hi', from = 'sender'): Promise<string> => {
    const response = await service.call('post', '/messages/users', {
      body: { from, to: [to], type: 'txt', body: { msg } },
    });
    return (response.body.data as Record<string, string>)[to] as string;
  };
  const get = (path: string) => service.call('get', path);
  const count = async (username: string, query = '') =>
    (await get(`/users/${username}/offline_msg_count${query}`)).body.data[username] as number;
  const state = async (username: string, id: string) =>
    (await get(`/users/${username}/offline_msg_status/${id}`)).body.data[id] as string;
  const offlineMessages = () => service.nest.get(OfflineMessagesService);

  beforeAll(async () => {
    service = await startApp({ clock, settings: { offline_messages_per_user: '10' } });
  });
  afterAll(() => service.stop());

  test('200 as in the seed: the count, a number, under the name as the caller wrote it', async () => {
    await service.register('user1');
    const none = await get('/users/user1/offline_msg_count');
    expectOrder(none, ['action', 'uri', 'entities', 'data', 'timestamp', 'duration', 'count']);
    expect(none.body).toEqual({
      action: 'get',
      uri: `${service.url}${service.path}/users/user1/offline_msg_count`,
      entities: [],
      data: { user1: 0 },
      timestamp: expect.any(Number) as number,
      duration: expect.any(Number) as number,
      count: 0,
    });
    await send('user1');
    expect((await get('/users/USER1/offline_msg_count')).body.data).toEqual({ USER1: 1 });
  });

  test('200 as in the seed: the state under the id; msg_not_found for an id that the user never had', async () => {
    await service.register('state1');
    await service.register('state2');
    const id = await send('state1');
    const response = await get(`/users/state1/offline_msg_status/${id}`);
    expectOrder(response, ['action', 'uri', 'entities', 'data', 'timestamp', 'duration', 'count']);
    expect(response.body).toMatchObject({ action: 'get', entities: [], data: { [id]: 'undelivered' }, count: 0 });
    expect(await state('state2', id)).toBe('msg_not_found');
    for (const invalidId of ['123', '0', '-1', 'abc', '1e3', '99999999999999999999', '__proto__'])
      expect((await get(`/users/state1/offline_msg_status/${invalidId}`)).text).toContain(
        `"${invalidId}":"msg_not_found"`,
      );
  });

  test('404 for an unknown user, 400 for an unknown state, 401 without a token', async () => {
    expectError(await get('/users/nobody/offline_msg_count'), agoraErrors.missingUser);
    expectError(await get('/users/nobody/offline_msg_status/1'), agoraErrors.missingUser);
    expectError(await get('/users/user1/offline_msg_count?state=lost'), agoraErrors.illegal(/state must be/));
    expectError(await service.call('get', '/users/user1/offline_msg_count', { token: null }), agoraErrors.noToken);
  });

  test('200 and at most as many as configured are kept: the oldest are dropped', async () => {
    await service.register('full');
    const ids: string[] = [];
    for (let index = 0; index < 13; index += 1) ids.push(await send('full', String(index)));
    expect(await count('full')).toBe(10);
    expect(await Promise.all(ids.map((id) => state('full', id)))).toEqual([
      ...Array<string>(3).fill('msg_not_found'),
      ...Array<string>(10).fill('undelivered'),
    ]);
    const client = await MessageClient.logIn(service, 'full');
    expect((await client.take('message', 10)).map((frame) => frame['id'] as string)).toEqual(ids.slice(3));
    await eventually(async () => expect(await count('full', '?state=delivered')).toBe(10));
    await client.close();
    // Delivered messages are dropped to make room, too.
    await eventually(async () => expect((await get('/users/full/status')).body.data.full).toBe('offline'));
    const last = await send('full');
    expect([await count('full'), await count('full', '?state=undelivered'), await state('full', last)]).toEqual([
      ...[10, 1, 'undelivered'],
    ]);
  });

  test('200 and a flood from one sender evicts itself: its 504 messages leave the 20 of others alone', async () => {
    const appOf500 = await service.nest.get(AppsService).set(service.app, 'offline_messages_per_user', '500');
    try {
      await service.register('flooded');
      const write = async (from: string): Promise<string> =>
        (await service.nest.get(MessagesService).send(appOf500, { from, to: ['flooded'], type: 'txt', body: {} })).get(
          'flooded',
        ) as string;
      const written: string[] = [];
      for (let index = 0; index < 20; index += 1) written.push(await write(`friend-${index % 8}`));
      const first: string[] = [];
      for (let index = 0; index < 24; index += 1) first.push(await write('flood'));
      const rest = await Promise.all(Array.from({ length: 480 }, () => write('flood')));

      expect([await count('flooded'), await count('flooded', '?state=undelivered')]).toEqual([500, 500]);
      const states = (ids: string[]) => Promise.all(ids.map((id) => state('flooded', id)));
      expect(await states(written)).toEqual(Array<string>(20).fill('undelivered'));
      expect(await states(first)).toEqual(Array<string>(24).fill('msg_not_found'));
      expect(new Set(await states(rest))).toEqual(new Set(['undelivered']));
      // There is room for another friend as well, at the flood's expense.
      const late = await write('another-friend');
      expect(await states([...written, late])).toEqual(Array<string>(21).fill('undelivered'));
      expect(await count('flooded')).toBe(500);
      const client = await MessageClient.logIn(service, 'flooded');
      const pulled = await client.take('message', 500);
      expect(pulled.slice(0, 20).map((frame) => frame['id'] as string)).toEqual(written);
      expect(pulled.at(-1)?.['id']).toBe(late);
      await client.close();
    } finally {
      await service.nest.get(AppsService).set(service.app, 'offline_messages_per_user', '10');
    }
  });

  test('200 and messages older than the retention are removed by any node, newer ones stay', async () => {
    await service.register('late');
    // While the clock stands still, ids run ahead of it.
    clock.advance(1000);
    const old = await send('late');
    clock.advance(3 * dayMs);
    const newer = await send('late');
    clock.advance(4 * dayMs + 1);
    await Promise.all([offlineMessages().expireDue(), offlineMessages().expireDue()]);
    expect([await count('late'), await state('late', old), await state('late', newer)]).toEqual([
      ...[1, 'msg_not_found', 'undelivered'],
    ]);
    expect(await offlineMessages().expireDue()).toBe(0);
  });

  test("200 and a banned user's messages wait", async () => {
    await service.register('banned');
    await service.call('post', '/users/banned/deactivate');
    const id = await send('banned');
    expect([await count('banned'), await state('banned', id)]).toEqual([1, 'undelivered']);
    await service.call('post', '/users/banned/activate');
    const client = await MessageClient.logIn(service, 'banned');
    expect((await client.take('message', 1))[0]).toMatchObject({ id });
    await client.close();
  });

  test("200 and a deleted user's messages are gone, and a new owner of the name has none", async () => {
    await service.register('gone');
    const { uuid } = await service.nest.get(UsersService).get(service.app.id, 'gone');
    const id = await send('gone');
    await service.call('delete', '/users/gone');
    await service.register('gone');
    expect([await count('gone'), await state('gone', id)]).toEqual([0, 'msg_not_found']);
    expect(await offlineMessages().stateOf(service.app.id, uuid, id)).toBeNull();
    expect(await offlineMessages().pull(service.app.id, uuid, 0, 0, 10)).toEqual([]);
  });

  test('200 for unread: what was not read, without own messages, in a window of creation times', async () => {
    const { app } = service;
    const uuids = await Promise.all(
      ['reader', 'other'].map(async (name) => (await service.register(name))['uuid'] as string),
    );
    const [reader, other] = uuids as [string, string];
    const unread = async (fromMs: number | null = null, untilMs: number | null = null) =>
      (await offlineMessages().unreadCounts(app.id, uuids, { fromMs, untilMs })).map((one) => one.unread);
    clock.advance(1000);
    const startMs = clock.now();
    const ids: string[] = [];
    for (let index = 0; index < 4; index += 1) {
      ids.push(await send('reader'));
      clock.advance(1000);
    }
    await send('reader', 'note to self', 'READER');
    expect(await unread()).toEqual([4, 0]);
    expect(await unread(startMs + 1000, startMs + 3000)).toEqual([2, 0]);
    expect(await unread(null, startMs)).toEqual([0, 0]);
    const client = await MessageClient.logIn(service, 'reader');
    await client.take('message', 5);
    // Received is not read.
    expect(await unread()).toEqual([4, 0]);
    client.send({ type: 'read', id: ids[1] });
    await eventually(async () => expect(await unread()).toEqual([2, 0]));
    client.send({ type: 'read', id: ids[0] });
    await client.settle();
    expect(await unread()).toEqual([2, 0]);
    await send('other');
    const window = { fromMs: startMs, untilMs: null };
    const all = [reader, other].sort();
    expect(await offlineMessages().usersWithUnread(app.id, 1, 100, window)).toEqual(all);
    expect(await offlineMessages().usersWithUnread(app.id, 2, 1, window)).toEqual(all.slice(1));
    expect(await offlineMessages().usersWithUnread(app.id, 3, 1, window)).toEqual([]);
    await client.close();
  });
});
