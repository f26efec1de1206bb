import { eventually, MessageClient } from '../../support/message-client.js';
import { type RunningApp, startApp } from '../../support/start-app.js';

describe('the tour in docs/tour.md: a message to an offline user', () => {
  let service: RunningApp;

  beforeAll(async () => {
    service = await startApp();
  });
  afterAll(() => service.stop());

  test('200 throughout: counted and undelivered until the user logs in, pulls and acknowledges, then delivered', async () => {
    await service.register('alice');
    await service.register('bob');
    const sent = await service.call('post', '/messages/users', {
      body: { from: 'alice', to: ['bob'], type: 'txt', body: { msg: 'Hello, Bob' } },
    });
    expect(sent.status).toBe(200);
    const id = sent.body.data.bob as string;
    const dataOf = async (path: string) => (await service.call('get', path)).body.data as object;
    expect(await dataOf('/users/bob/offline_msg_count')).toEqual({ bob: 1 });
    expect(await dataOf(`/users/bob/offline_msg_status/${id}`)).toEqual({ [id]: 'undelivered' });

    const bob = await MessageClient.logIn(service, 'bob');
    expect(await bob.first('ready')).toMatchObject({ username: 'bob', offline: 1 });
    expect(await bob.first('message')).toEqual({
      type: 'message',
      id,
      from: 'alice',
      to: 'bob',
      chat_type: 'chat',
      msg_type: 'txt',
      body: { msg: 'Hello, Bob' },
      ext: {},
      timestamp: expect.any(Number) as number,
      offline: true,
    });
    await eventually(async () =>
      expect(await dataOf(`/users/bob/offline_msg_status/${id}`)).toEqual({ [id]: 'delivered' }),
    );
    // "Regardless of the delivery state": the message is kept, and counted, until it expires.
    expect(await dataOf('/users/bob/offline_msg_count')).toEqual({ bob: 1 });
    expect(await dataOf('/users/bob/offline_msg_count?state=undelivered')).toEqual({ bob: 0 });
    expect(await dataOf('/users/bob/offline_msg_count?state=delivered')).toEqual({ bob: 1 });

    // Now Bob is online, and Alice answers from her own client.
    const alice = await MessageClient.logIn(service, 'alice');
    alice.send({ type: 'send', ref: 'r1', to: 'Bob', body: { msg: 'There you are' }, ext: { mood: 'glad' } });
    const { id: liveId } = await alice.first('sent');
    const [, live] = await bob.take('message', 2);
    expect(live).toMatchObject({ id: liveId as string, from: 'alice', body: { msg: 'There you are' }, offline: false });
    await eventually(async () =>
      expect(await dataOf(`/users/bob/offline_msg_status/${liveId}`)).toEqual({ [liveId as string]: 'delivered' }),
    );
    // It was never an offline message.
    expect(await dataOf('/users/bob/offline_msg_count')).toEqual({ bob: 1 });
    await Promise.all([alice.close(), bob.close()]);
  });
});
