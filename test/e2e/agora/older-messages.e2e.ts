import { OfflineMessagesService } from '../../../src/offline-messages/offline-messages.service.js';
import { aUsername } from '../../factories/user.factory.js';
import { agoraErrors, expectError, expectOrder } from '../../support/agora-answers.js';
import { eventually, MessageClient } from '../../support/message-client.js';
import { type RunningApp, startApp } from '../../support/start-app.js';

describe('messages in the older form, and for online users only', () => {
  let service: RunningApp;
  const send = (body: unknown, query = '') => service.call('post', `/messages${query}`, { body });
  const aMessage = (overrides: Readonly<Record<string, unknown>> = {}) => ({
    ...{ target_type: 'users', target: ['old1'], msg: { type: 'txt', msg: 'hi' }, from: 'sender' },
    ...overrides,
  });
  const count = async (username: string) =>
    (await service.call('get', `/users/${username}/offline_msg_count`)).body.data[username] as number;
  const status = async (username: string, id: string) =>
    (await service.call('get', `/users/${username}/offline_msg_status/${id}`)).body.data[id] as string;
  const logInUser = async (acks = true) => {
    const name = aUsername();
    await service.register(name);
    return { name, client: await MessageClient.logIn(service, name, { acks }) };
  };

  beforeAll(async () => {
    service = await startApp();
    for (const username of ['old1', 'old2']) await service.register(username);
  });
  afterAll(() => service.stop());

  test('200 with success for each receiver, under the name as written', async () => {
    const response = await send(aMessage({ target: ['OLD1', 'old2', 'nobody-at-all'] }));
    expect(response.status).toBe(200);
    expectOrder(response, [
      ...['path', 'uri', 'timestamp', 'organization', 'application', 'entities', 'action', 'data', 'duration'],
      'applicationName',
    ]);
    expect(response.body).toMatchObject({
      path: '/messages',
      uri: `${service.url}${service.path}/messages`,
      entities: [],
      action: 'post',
      data: { OLD1: 'success', old2: 'success', 'nobody-at-all': 'success' },
    });
    expect(await count('old1')).toBe(1);
  });

  test('200 with the message ids for useMsgId=true', async () => {
    const { data } = (await send(aMessage({ target: ['old2'] }), '?useMsgId=true')).body;
    expect(data.old2).toMatch(/^[1-9]\d{10,18}$/);
    expect(await status('old2', data.old2 as string)).toBe('undelivered');
    expect((await send(aMessage(), '?useMsgId=false')).body.data).toEqual({ old1: 'success' });
  });

  test.each([
    [{ type: 'txt', msg: 'hello' }],
    [{ type: 'img', url: 'https://a/b', filename: 'b.jpg', secret: 's', size: { width: 480, height: 720 } }],
    [{ type: 'audio', url: 'https://a/b', filename: 'b.amr', length: 10, secret: 's' }],
    [{ type: 'video', url: 'https://a/b', thumb: 'https://a/c', length: 0, file_length: 58103, thumb_secret: 's' }],
    [{ type: 'loc', lat: '39.966', lng: '116.322', addr: 'Beijing' }],
    [{ type: 'file', url: 'https://a/b', filename: 'b.txt' }],
    [{ type: 'cmd', action: 'refresh' }],
    [{ type: 'custom', customEvent: 'gift', customExts: { name: 'flower' } }],
  ])('200 for %j, which arrives like in the newer form', async (msg) => {
    const { name, client } = await logInUser();
    await send(aMessage({ target: [name], msg, ext: { k: 1 }, from: undefined })).expect(200);
    const { type, ...body } = msg;
    expect(await client.first('message')).toMatchObject({ from: 'admin', msg_type: type, body, ext: { k: 1 } });
    await client.close();
  });

  test('200 and one message for two calls with the same Idempotency-Key', async () => {
    const { name, client } = await logInUser();
    const once = () =>
      service.call('post', '/messages?useMsgId=true', {
        body: aMessage({ target: [name] }),
        headers: { 'idempotency-key': `older-${name}` },
      });
    expect((await once()).body.data).toEqual((await once()).body.data);
    await client.first('message');
    await client.settle();
    expect(client.messages).toHaveLength(1);
    await client.close();
  });

  test.each([
    [{ target_type: 'chatgroups' }, /^target_type must be users/],
    [{ target_type: 'chatrooms' }, /^target_type must be users/],
    [{ target_type: undefined }, /target_type/],
    [{ target: 'old1' }, /^target must be/],
    [{ target: [] }, /must name at least one receiver/],
    [{ target: [1] }, /^target must be a list of strings/],
    [{ target: undefined }, /^target is required|^target must/],
    [{ target: Array.from({ length: 601 }, (_none, index) => `u${index}`) }, /array size\[601\].*value\[600\]/],
    [{ msg: undefined }, /^msg is required|^msg must/],
    [{ msg: 'hi' }, /^msg must be/],
    [{ msg: { msg: 'hi' } }, /^type must be one of txt/],
    [{ msg: { type: 'smoke' } }, /^type must be one of txt/],
    [{ msg: { type: ['txt'] } }, /^type must be one of txt/],
    [{ from: '' }, /^from must not be empty/],
    [{ ext: 'text' }, /^ext must be/],
    [{ routetype: 'ROUTE_OFFLINE' }, /^routetype must be/],
  ])('400 for %j', async (wrong, description) => {
    expectError(await send(aMessage(wrong)), agoraErrors.illegal(description));
  });

  test('401 without a token', async () => {
    expectError(await service.call('post', '/messages', { body: aMessage(), token: null }), agoraErrors.noToken);
  });

  describe('with ROUTE_ONLINE', () => {
    const online = (to: readonly string[]) =>
      service.call('post', '/messages/users', {
        body: { from: 's', to, type: 'cmd', body: { action: 'typing' }, routetype: 'ROUTE_ONLINE' },
      });
    /** In a session that starts now. */
    const pulledLater = async (name: string): Promise<unknown[]> => {
      const later = await MessageClient.logIn(service, name);
      await later.settle();
      expect((await later.first('ready'))['offline']).toBe(0);
      const messages = [...later.messages];
      await later.close();
      return messages;
    };

    test('200 and every open session gets it; it is never an offline message, nor unread', async () => {
      const { name, client } = await logInUser(false);
      const second = await MessageClient.logIn(service, name, { acks: false, device: 'second' });
      const id = (await online([name]).expect(200)).body.data[name] as string;
      for (const session of [client, second])
        expect(await session.first('message')).toMatchObject({ id, body: { action: 'typing' }, offline: false });
      expect(await count(name)).toBe(0);
      expect(await status(name, id)).toBe('undelivered');
      client.send({ type: 'ack', id });
      await eventually(async () => expect(await status(name, id)).toBe('delivered'));
      const { uuid } = (await service.call('get', `/users/${name}`)).body.entities[0] as { uuid: string };
      const unread = service.nest.get(OfflineMessagesService);
      expect(await unread.unreadCounts(service.app.id, [uuid], { fromMs: null, untilMs: null })).toEqual([
        { userUuid: uuid, unread: 0 },
      ]);
      for (const session of [client, second]) await session.close();
      expect(await pulledLater(name)).toEqual([]);
    });

    test('200 with an id, and nothing is kept for an offline user, whoever else is online', async () => {
      const { name, client } = await logInUser();
      const offlineUser = aUsername();
      await service.register(offlineUser);
      const { data } = (await online([offlineUser, name]).expect(200)).body;
      expect(data[offlineUser]).toMatch(/^\d+$/);
      await client.first('message');
      expect(await count(offlineUser)).toBe(0);
      expect(await status(offlineUser, data[offlineUser] as string)).toBe('msg_not_found');
      expect(await pulledLater(offlineUser)).toEqual([]);
      await client.close();
    });

    test('200 and nothing is kept for a user who goes offline during the send', async () => {
      const { name, client } = await logInUser();
      const offlineMessages = service.nest.get(OfflineMessagesService);
      const store = offlineMessages.store.bind(offlineMessages);
      offlineMessages.store = async (...given) => {
        await client.close();
        await eventually(async () =>
          expect((await service.call('get', `/users/${name}/status`)).body.data[name]).toBe('offline'),
        );
        return store(...given);
      };
      try {
        const id = (await online([name]).expect(200)).body.data[name] as string;
        expect(await status(name, id)).toBe('undelivered');
      } finally {
        offlineMessages.store = store;
      }
      expect(await count(name)).toBe(0);
      expect(await pulledLater(name)).toEqual([]);
    });

    test('200 in the older form too, and an offline message without the flag', async () => {
      const offlineUser = aUsername();
      await service.register(offlineUser);
      const olderForm = aMessage({ target: [offlineUser], routetype: 'ROUTE_ONLINE' });
      expect((await send(olderForm)).body.data).toEqual({ [offlineUser]: 'success' });
      expect(await count(offlineUser)).toBe(0);
      for (const routetype of [null, '', 'ROUTE_ALL', undefined]) await send({ ...olderForm, routetype }).expect(200);
      expect(await count(offlineUser)).toBe(4);
    });
  });
});
