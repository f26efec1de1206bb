import { Database } from '../../../src/database/database.js';
import { agoraErrors, anEntity, expectError, expectOrder } from '../../support/agora-answers.js';
import { MessageClient } from '../../support/message-client.js';
import { type RunningApp, startApp } from '../../support/start-app.js';

describe('users/{username}/blocks/users', () => {
  let service: RunningApp;
  let userCount = 0;

  beforeAll(async () => void (service = await startApp()));
  afterAll(() => service.stop());

  /** Users with names that no other test uses. */
  async function users(count: number): Promise<string[]> {
    const names = Array.from({ length: count }, () => `user${(userCount += 1)}`);
    for (let start = 0; start < count; start += 60) {
      const body = names.slice(start, start + 60).map((username) => ({ username, password: 'p' }));
      expect((await service.call('post', '/users', { body })).status).toBe(200);
    }
    return names;
  }
  const block = (user: string, usernames: readonly string[]) =>
    service.call('post', `/users/${user}/blocks/users`, { body: { usernames } });
  const unblock = (user: string, names: string) => service.call('delete', `/users/${user}/blocks/users/${names}`);
  const list = (user: string, query = '') => service.call('get', `/users/${user}/blocks/users${query}`);
  const send = (from: string, to: readonly string[]) =>
    service.call('post', '/messages/users', { body: { from, to, type: 'txt', body: { msg: 'hello' } } });
  const waiting = async (user: string): Promise<number> =>
    (await service.call('get', `/users/${user}/offline_msg_count`)).body.data[user] as number;

  it('200 for blocking, listing newest first, and unblocking one user or several separated by commas', async () => {
    const [u, a, b, c] = (await users(4)) as [string, string, string, string];
    const answer = await block(u, [a, b.toUpperCase(), a]);
    expect(answer.status).toBe(200);
    expectOrder(answer, [
      ...['action', 'application', 'uri', 'entities', 'data', 'timestamp', 'duration', 'organization'],
      'applicationName',
    ]);
    expect(answer.body).toMatchObject({ action: 'post', entities: [], data: [a, b] });
    expect((await block(u, [b, c])).body.data).toEqual([b, c]);
    const listed = await list(u);
    expectOrder(listed, ['action', 'uri', 'entities', 'data', 'timestamp', 'duration', 'count']);
    expect(listed.body).toMatchObject({ action: 'get', data: [c, b, a], count: 3 });
    expect((await list(a)).body).toMatchObject({ data: [], count: 0 });

    const removed = await unblock(u, b);
    const { uuid } = (await service.call('get', `/users/${u}`)).body.entities[0];
    expect(removed.body).toMatchObject({ action: 'delete', path: `/users/${uuid}/blocks` });
    expect(removed.body.uri).toBe(`${service.url}${service.path}/users/${uuid}/blocks`);
    expect(removed.body.entities).toEqual([anEntity({ username: b })]);
    expect((await unblock(u, `${a},${c}`)).body.entities).toHaveLength(2);
    expect((await unblock(u, a)).status).toBe(200);
    expect((await list(u)).body.data).toEqual([]);
    await block(u, [a]);
    const byBody = await service.call('delete', `/users/${u}/blocks/users`, { body: { usernames: [a] } });
    expect(byBody.body.entities).toEqual([anEntity({ username: a })]);
    const asWebSdk = (method: 'post' | 'delete') =>
      service.call(method, `/sdk/user/${u}/blocks?resource=web_1`, { body: { usernames: [b] } });
    expect((await asWebSdk('post')).body.data).toEqual([b]);
    expect((await list(u)).body.data).toEqual([b]);
    expect((await asWebSdk('delete')).body.entities).toEqual([anEntity({ username: b })]);
    expect((await list(u)).body.data).toEqual([]);
  });

  it('200 in pages of 1 to 50, and without a page size up to 500', async () => {
    const [u, ...others] = (await users(54)) as [string, ...string[]];
    for (let start = 0; start < others.length; start += 20) await block(u, others.slice(start, start + 20));
    const newestFirst = others.toReversed();
    expect((await list(u)).body.data).toEqual(newestFirst);
    const first = await list(u, '?pageSize=51');
    expect(first.body).toMatchObject({ data: newestFirst.slice(0, 50), count: 50 });
    const second = await list(u, `?cursor=${first.body.cursor}&pageSize=2`);
    expect(second.body.data).toEqual(newestFirst.slice(50, 52));
    const last = await list(u, `?cursor=${second.body.cursor}`);
    expect(last.body).toMatchObject({ data: newestFirst.slice(52), count: 1 });
    expect(last.body.cursor).toBeUndefined();
    for (const query of ['?pageSize=ten', '?cursor=nonsense']) expect((await list(u, query)).status).toBe(400);
  });

  it('200 for a check of up to 100; 400 for none, for more, and for an unknown user', async () => {
    const [u, a, b] = (await users(3)) as [string, string, string];
    await block(u, [a]);
    const check = (body: object) => service.call('post', '/blocks/check', { body });
    const { status, body } = await check({ username: u, check_list: [a.toUpperCase(), b, 'nobody'] });
    expect(status).toBe(200);
    expect(body).toMatchObject({ action: 'post', path: '/blocks/check' });
    expect(body.entities).toEqual([
      { username: a.toUpperCase(), relation: 'blacklist' },
      { username: b, relation: 'not_blacklist' },
      { username: 'nobody', relation: 'not_blacklist' },
    ]);
    const size = agoraErrors.illegal('check_list size must be between 1 and 100');
    expectError(await check({ username: u, check_list: [] }), size);
    expectError(await check({ username: u, check_list: Array(101).fill(a) }), size);
    expectError(await check({ username: u }), size);
    expectError(await check({ username: '', check_list: [a] }), agoraErrors.illegal('username cannot be blank'));
    expectError(await check({ username: 'nobody', check_list: [a] }), agoraErrors.missingUser);
  });

  it('404 for unknown users, and nobody is blocked; 400 for oneself and for anything but a list of names', async () => {
    const [u, a] = (await users(2)) as [string, string];
    for (const answer of [
      ...[await block(u, [a, 'nobody']), await block('nobody', [a]), await list('nobody')],
      ...[await unblock(u, 'nobody'), await unblock('nobody', a)],
    ])
      expectError(answer, agoraErrors.missingUser);
    expect((await list(u)).body.data).toEqual([]);
    expectError(await block(u, [u]), agoraErrors.illegal('a user cannot block itself'));
    for (const usernames of [undefined, null, 'a', [], [1]])
      expect(
        (await service.call('post', `/users/${u}/blocks/users`, { body: { usernames } })).body.error_description,
      ).toMatch(/^usernames /);
  });

  it('403 beyond 500, even for concurrent calls', async () => {
    const [u, ...others] = (await users(506)) as [string, ...string[]];
    expect((await block(u, others.slice(0, 495))).status).toBe(200);
    const tooMany = { status: 403, error: 'exceed_limit', description: 'user block number exceed limit' };
    expectError(await block(u, others.slice(495, 501)), tooMany);
    const answers = await Promise.all(others.slice(495).map((name) => block(u, [name])));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(5);
    for (const answer of answers.filter(({ status }) => status !== 200)) expectError(answer, tooMany);
    expect((await list(u)).body.count).toBe(500);
    // Users who are already blocked need no more room.
    expect((await block(u, others.slice(0, 495))).status).toBe(200);
    const [first] = others as [string];
    await service.call('delete', `/users/${first}`);
    expect((await list(u)).body.count).toBe(499);
  });

  it('200 for two concurrent blocks of the same user', async () => {
    const [u, a] = (await users(2)) as [string, string];
    const answers = await Promise.all(Array.from({ length: 8 }, () => block(u, [a])));
    expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(200));
    expect((await list(u)).body.data).toEqual([a]);
  });

  it('200 when an app server sends for a blocked user: an id for each receiver, and no message', async () => {
    const [u, a, b] = (await users(3)) as [string, string, string];
    await block(u, [a]);
    const { status, body } = await send(a.toUpperCase(), [u, b]);
    expect(status).toBe(200);
    expect(body.data).toEqual({ [u]: expect.stringMatching(/^\d+$/), [b]: expect.stringMatching(/^\d+$/) });
    expect([await waiting(u), await waiting(b)]).toEqual([0, 1]);
    const state = await service.call('get', `/users/${u}/offline_msg_status/${body.data[u]}`);
    expect(state.body.data).toEqual({ [body.data[u]]: 'msg_not_found' });
    // Not in the other direction, nor from other users or names that no user has.
    await send(u, [a]);
    await send(b, [u]);
    await send('admin', [u]);
    expect([await waiting(a), await waiting(u)]).toEqual([1, 2]);
    await unblock(u, a);
    await send(a, [u]);
    expect(await waiting(u)).toBe(3);
  });

  it('an error frame for a session that sends to a user who has blocked it', async () => {
    const [u, a] = (await users(2)) as [string, string];
    const [receiver, sender] = [await MessageClient.logIn(service, u), await MessageClient.logIn(service, a)];
    sender.send({ type: 'send', ref: 1, to: u, body: { msg: 'before' } });
    await sender.first('sent');
    await block(u, [a]);
    sender.send({ type: 'send', ref: 2, to: u.toUpperCase(), body: { msg: 'meanwhile' } });
    expect(await sender.first('error')).toEqual({
      ...{ type: 'error', ref: 2, code: 'sender_blocked', message: 'the receiver has blocked the sender' },
    });
    await unblock(u, a);
    sender.send({ type: 'send', ref: 3, to: u, body: { msg: 'after' } });
    await sender.take('sent', 2);
    const messages = await receiver.take('message', 2);
    expect(messages.map(({ body }) => body.msg)).toEqual(['before', 'after']);
    await Promise.all([receiver.close(), sender.close()]);
  });

  it('200 and a block is gone with either user, and a new owner of the name inherits none', async () => {
    const [u, a, b] = (await users(3)) as [string, string, string];
    await block(u, [a, b]);
    await block(b, [u]);
    await service.call('delete', `/users/${a}`);
    expect((await list(u)).body.data).toEqual([b]);
    await service.register(a);
    expect((await list(u)).body.data).toEqual([b]);
    await send(a, [u]);
    expect(await waiting(u)).toBe(1);
    await service.call('delete', `/users/${u}`);
    await service.register(u);
    expect([(await list(u)).body.data, (await list(b)).body.data]).toEqual([[], []]);
    await send(b, [u]);
    await send(u, [b]);
    expect([await waiting(u), await waiting(b)]).toEqual([1, 1]);
  });

  it('200 and deleted users leave no rows behind', async () => {
    const [u, a, b] = (await users(3)) as [string, string, string];
    await Promise.all([block(u, [a, b]), block(a, [u, b]), block(b, [u])]);
    const uuids = await Promise.all(
      [u, a].map(async (name) => (await service.call('get', `/users/${name}`)).body.entities[0].uuid as string),
    );
    for (const name of [u, a]) await service.call('delete', `/users/${name}`);
    const rows = await service.nest
      .get(Database)
      .read<{ user_uuid: string; blocked_uuid: string }>(
        'SELECT user_uuid, blocked_uuid FROM user_blocks WHERE app_id = ?',
        [service.app.id],
      );
    expect(rows.filter((row) => uuids.some((uuid) => Object.values(row).includes(uuid)))).toEqual([]);
  });
});
