import { Database } from '../../../src/database/database.js';
import { MutesService } from '../../../src/mutes/mutes.service.js';
import { aUsername } from '../../factories/user.factory.js';
import { agoraErrors, expectError, expectOrder } from '../../support/agora-answers.js';
import { FixedClock } from '../../support/fixed-clock.js';
import { eventually, MessageClient } from '../../support/message-client.js';
import { type RunningApp, startApp } from '../../support/start-app.js';

const missing = {
  status: 400,
  error: 'required_property_not_found',
  description: 'Entity user requires a property named username',
};
const members = [
  ...['path', 'uri', 'timestamp', 'organization', 'application', 'action', 'data', 'duration', 'applicationName'],
];

describe('mutes', () => {
  const clock = new FixedClock(Date.now());
  let service: RunningApp;
  const mute = (body: unknown) => service.call('post', '/mutes', { body });
  const muteOf = async (name: string) => (await service.call('get', `/mutes/${name}`)).body.data as Record<string, any>;
  const list = async (query = '') => (await service.call('get', `/mutes${query}`)).body.data.data as object[];
  const aUser = async () => {
    const name = aUsername();
    await service.register(name);
    return name;
  };

  beforeAll(async () => {
    service = await startApp({ clock });
  });
  afterAll(() => service.stop());

  describe('POST /mutes and GET /mutes/{username}', () => {
    test('200 with the remaining seconds, until the clock passes the end', async () => {
      const name = await aUser();
      const response = await mute({ username: name.toUpperCase(), chat: 100, groupchat: '50', chatroom: -1 });
      expect(response.status).toBe(200);
      expectOrder(response, members);
      expect(response.body).toMatchObject({ path: '/mutes', action: 'post', data: { result: 'ok' } });
      expect(response.body.uri).toBe(`${service.url}${service.path}/mutes`);
      clock.advance(3_500);
      const read = await service.call('get', `/mutes/${name}`);
      expectOrder(read, members);
      expect(read.body).toMatchObject({ path: '/mutes', uri: `${service.url}${service.path}/mutes/${name}` });
      const userid = `${service.app.org}#${service.app.name}_${name}`;
      const unixtime = clock.nowSeconds();
      expect(read.body.data).toEqual({ userid, chat: 97, groupchat: 47, chatroom: -1, unixtime });
      expect(Object.keys(read.body.data as object)).toEqual(['userid', 'chat', 'groupchat', 'chatroom', 'unixtime']);
      clock.advance(60_000);
      expect(await muteOf(name)).toMatchObject({ chat: 37, groupchat: 0, chatroom: -1 });
    });

    test('200 and members that are not named stay; 0 lifts, and all are zero for a user who was never muted', async () => {
      const name = await aUser();
      expect(await muteOf(name)).toMatchObject({ chat: 0, groupchat: 0, chatroom: 0 });
      await mute({ username: name, chat: -1 }).expect(200);
      await mute({ username: name, groupchat: 10, chat: null }).expect(200);
      expect(await muteOf(name)).toMatchObject({ chat: -1, groupchat: 10, chatroom: 0 });
      await mute({ username: name, chat: 0 }).expect(200);
      expect(await muteOf(name)).toMatchObject({ chat: 0, groupchat: 10 });
      await mute({ username: name, groupchat: 0 }).expect(200);
      await mute({ username: name, groupchat: 0 }).expect(200);
      expect(await list()).not.toContainEqual(expect.objectContaining({ username: name }));
    });

    test('200 by uuid', async () => {
      const { uuid, username } = await service.register(aUsername());
      await mute({ username: uuid as string, chat: 7 }).expect(200);
      expect(await muteOf(uuid as string)).toMatchObject({ chat: 7, userid: expect.stringContaining(username) });
    });

    test('200 for two concurrent mutes, one of which wins', async () => {
      const name = await aUser();
      await Promise.all([mute({ username: name, chat: 10 }), mute({ username: name, groupchat: 20 })]);
      expect(await muteOf(name)).toMatchObject({ chat: 10, groupchat: 20 });
    });

    test('200 for muting again after a mute has ended, and ended rows do not accumulate', async () => {
      const names = await Promise.all([aUser(), aUser(), aUser()]);
      for (const username of names) await mute({ username, chat: 1 }).expect(200);
      clock.advance(2_000);
      await Promise.all(names.map((username) => mute({ username, chat: 30 }).expect(200)));
      for (const name of names) expect(await muteOf(name)).toMatchObject({ chat: 30 });
      clock.advance(31_000);
      await mute({ username: await aUser(), chat: 1 }).expect(200);
      await mute({ username: await aUser(), chat: 1 }).expect(200);
      const over = await service.nest
        .get(Database)
        .read('SELECT user_uuid FROM user_mutes WHERE app_id = ? AND expires_at <= ?', [service.app.id, clock.now()]);
      expect(over).toEqual([]);
    });

    test.each([
      [{ chat: -2 }, 'chat must be a whole number from -1 to 2147483647'],
      [{ chat: 2_147_483_648 }, 'chat must be a whole number from -1 to 2147483647'],
      [{ groupchat: 1.5 }, /^groupchat must be a whole number/],
      [{ chatroom: 'soon' }, /^chatroom must be a whole number/],
      [{ chat: true }, /^chat must be a whole number/],
      [{}, 'one of chat, groupchat, chatroom is required'],
      [{ username: 1, chat: 1 }, 'username must be a string'],
      [{ username: '', chat: 1 }, "Entity 'user' requires a property named username."],
      [{ username: undefined, chat: 1 }, "Entity 'user' requires a property named username."],
    ])('400 for %j', async (wrong, description) => {
      expectError(await mute({ username: 'somebody', ...wrong }), agoraErrors.illegal(description));
    });

    test('400 when the user is unknown, worded as by the vendor', async () => {
      expectError(await mute({ username: aUsername(), chat: 1 }), missing);
      expectError(await service.call('get', `/mutes/${aUsername()}`), missing);
    });

    test('401 without a token and with a user token', async () => {
      const name = await aUser();
      expectError(await service.call('post', '/mutes', { body: {}, token: null }), agoraErrors.noToken);
      expectError(await service.call('get', '/mutes', { token: null }), agoraErrors.noToken);
      const grant = { grant_type: 'inherit', username: name };
      const token = (await service.call('post', '/token', { body: grant })).body.access_token as string;
      expectError(
        await service.call('post', '/mutes', { body: { username: name, chat: 0 }, token }),
        agoraErrors.foreign,
      );
    });
  });

  test('200 for GET /mutes in pages of users, with one object for each kind of mute', async () => {
    const names = await Promise.all(Array.from({ length: 5 }, aUser));
    const over = await aUser();
    await mute({ username: over, chat: 1 }).expect(200);
    clock.advance(1_000);
    for (const username of names) await mute({ username, chat: 60, chatroom: -1 }).expect(200);
    const all = await list('?pageSize=50');
    for (const username of names) {
      expect(all).toContainEqual({ username, chat: 60 });
      expect(all).toContainEqual({ username, chatroom: -1 });
    }
    expect(all).not.toContainEqual(expect.objectContaining({ username: over }));
    const users = new Set(all.map((one) => (one as { username: string }).username));
    const paged: object[] = [];
    for (let page = 1; page <= Math.ceil(users.size / 2); page += 1)
      paged.push(...(await list(`?pageNum=${page}&pageSize=2`)));
    expect(paged).toEqual(all);
    expect(await list(`?pageNum=${users.size + 1}&pageSize=1`)).toEqual([]);
    expect(await list('?pageNum=0&pageSize=0')).toEqual(await list('?pageNum=1&pageSize=1'));
    expect(await list('?pageNum=1000000000000&pageSize=500')).toEqual([]);
    expectError(await service.call('get', '/mutes?pageNum=x'), agoraErrors.illegal(/^pageNum must be a whole number/));
    expectError(await service.call('get', '/mutes?pageSize=1.5'), agoraErrors.illegal(/^pageSize must be/));
  });

  test('200 and a mute is gone with its user: a new owner of the name may send', async () => {
    const name = await aUser();
    await mute({ username: name, chat: -1 }).expect(200);
    await service.call('delete', `/users/${name}`).expect(200);
    expect(await list('?pageSize=50')).not.toContainEqual(expect.objectContaining({ username: name }));
    const { uuid } = await service.register(name);
    expect(await muteOf(name)).toMatchObject({ chat: 0 });
    const rows = await service.nest
      .get(Database)
      .read('SELECT user_uuid FROM user_mutes WHERE app_id = ? AND user_uuid = ?', [service.app.id, uuid as string]);
    expect(rows).toEqual([]);
  });

  test('200 and a muted user cannot send on the gateway until the mute ends or is lifted, but still receives', async () => {
    const [name, friend] = [await aUser(), await aUser()];
    const client = await MessageClient.logIn(service, name);
    const answer = async (ref: string) => {
      client.send({ type: 'send', ref, to: friend, body: { msg: ref } });
      await eventually(() => expect(client.frames.map((frame) => frame['ref'] as unknown)).toContain(ref));
      return client.frames.find((frame) => frame['ref'] === ref);
    };
    expect(await answer('before')).toMatchObject({ type: 'sent' });
    await mute({ username: name, chat: 10 }).expect(200);
    expect(await answer('muted')).toEqual({
      ...{ type: 'error', code: 'user_muted', message: 'the user of this session is muted', ref: 'muted' },
      retry_after_ms: 10_000,
    });
    // An app server may send as any user.
    const fromServer = { from: name, to: [name], type: 'txt', body: { msg: 'server' } };
    await service.call('post', '/messages/users', { body: fromServer }).expect(200);
    expect(await client.first('message')).toMatchObject({ from: name, body: { msg: 'server' } });
    clock.advance(10_000);
    expect(await answer('over')).toMatchObject({ type: 'sent' });
    await mute({ username: name, chat: -1 }).expect(200);
    const withoutEnd = (await answer('for good')) as object;
    expect(withoutEnd).toMatchObject({ code: 'user_muted' });
    expect(withoutEnd).not.toHaveProperty('retry_after_ms');
    await mute({ username: name, chat: 0 }).expect(200);
    expect(await answer('lifted')).toMatchObject({ type: 'sent' });
    await mute({ username: name, groupchat: -1, chatroom: -1 }).expect(200);
    expect(await answer('elsewhere')).toMatchObject({ type: 'sent' });
    expect((await service.call('get', `/users/${friend}/offline_msg_count`)).body.data[friend]).toBe(4);
    await client.close();
  });

  test('200 and a user who logs in muted cannot send; many messages query the mute only once', async () => {
    const [name, friend] = [await aUser(), await aUser()];
    await mute({ username: name, chat: 5 }).expect(200);
    const mutes = service.nest.get(MutesService);
    const queryMute = mutes.chatMutedUntil.bind(mutes);
    let queries = 0;
    mutes.chatMutedUntil = (...given) => {
      queries += 1;
      return queryMute(...given);
    };
    try {
      const client = await MessageClient.logIn(service, name);
      client.send({ type: 'send', to: friend, body: {} });
      expect(await client.first('error')).toMatchObject({ code: 'user_muted', retry_after_ms: 5_000 });
      clock.advance(5_000);
      for (let index = 0; index < 20; index += 1) client.send({ type: 'send', ref: index, to: friend, body: {} });
      await client.take('sent', 20);
      expect(queries).toBe(1);
      await client.close();
    } finally {
      mutes.chatMutedUntil = queryMute;
    }
  });
});
