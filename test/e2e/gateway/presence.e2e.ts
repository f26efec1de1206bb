import { GatewayClient, until } from '../../support/gateway-client.js';
import { agoraErrors, expectError, expectOrder } from '../../support/agora-answers.js';
import { retryTimingTests } from '../../support/form.js';
import { type RunningApp, startApp } from '../../support/start-app.js';
import { nextSecond } from '../../support/tenant.js';
import { accessToken2 } from '../../support/tokens.js';

retryTimingTests();

const withResult = ['uri', 'timestamp', 'organization', 'application', 'entities', 'action', 'data', 'duration'];

describe('who is online', () => {
  let running: RunningApp;
  const clients: GatewayClient[] = [];
  beforeAll(async () => {
    running = await startApp();
    for (const name of ['ann', 'bob', 'cat', 'dan', 'eve']) await running.register(name);
  });
  afterEach(() => Promise.all(clients.splice(0).map((client) => client.close())));
  afterAll(() => running.stop());

  const login = async (name: string, more?: object): Promise<GatewayClient> => {
    const client = await GatewayClient.login(running.url, running.path, accessToken2(running.app, name), more);
    clients.push(client);
    return client;
  };
  const state = async (name: string): Promise<string> => {
    const response = await running.call('get', `/users/${name}/status`);
    return (response.body as { data: Record<string, string> }).data[name] as string;
  };
  const kicked = async (client: GatewayClient): Promise<unknown[]> => {
    const { code } = await client.closed;
    return [client.frames.at(-1), code];
  };

  it('200 for status as in the seed, with the name as written', async () => {
    const response = await running.call('get', '/users/Bob/status').expect(200);
    expectOrder(response, ['action', 'uri', 'entities', 'data', 'timestamp', 'duration', 'count']);
    expect(response.body).toMatchObject({
      action: 'get',
      uri: `${running.url}${running.path}/users/Bob/status`,
      entities: [],
      data: { Bob: 'offline' },
      count: 0,
    });
  });

  it('200 online within 100 ms of ready, offline within 100 ms of the close', async () => {
    const client = await login('ann');
    expect(await until(async () => (await state('ann')) === 'online', 100)).toBeLessThan(100);
    client.socket.close();
    await client.closed;
    expect(await until(async () => (await state('ann')) === 'offline', 100)).toBeLessThan(100);
  });

  it('200 for status by uuid, too', async () => {
    const { uuid } = (await running.call('get', '/users/ann')).body.entities[0] as { uuid: string };
    await login('ann');
    expect((await running.call('get', `/users/${uuid}/status`)).body.data).toEqual({ [uuid]: 'online' });
  });

  it('200 for status with detail=1, with the sessions and the time of the answer', async () => {
    const before = Date.now();
    await login('ann', { platform: 'android', device: 'phone', device_name: 'my | phone' });
    const { body } = await running.call('get', '/users/ann/status?detail=1').expect(200);
    expect(body).toMatchObject({ data: { ann: 'online' }, complete: expect.any(Boolean) });
    expect(body.as_of).toBeGreaterThanOrEqual(before);
    expect(body.sessions).toEqual([
      {
        res: 'android_phone',
        device_uuid: 'phone',
        device_name: 'my | phone',
        platform: 'android',
        since: expect.any(Number),
        node: expect.stringMatching(/^[\w-]{12}\.\d+$/),
      },
    ]);
    expect(Math.abs(body.sessions[0].since - before)).toBeLessThan(10_000);
  });

  it('404 for status, resources and disconnect of an unknown user', async () => {
    for (const path of ['status', 'resources', 'disconnect', 'disconnect/web_1'])
      expectError(await running.call('get', `/users/nobody/${path}`), agoraErrors.missingUser);
    expectError(await running.call('delete', '/users/nobody/disconnect/web_1'), agoraErrors.missingUser);
    expectError(await running.call('post', '/token/users/nobody/invalid'), agoraErrors.missingUser);
  });

  it('200 for batch status in the order of the request, with unknown and invalid names offline', async () => {
    await login('bob');
    const usernames = ['BOB', 'nobody', 'ann', 'a b/ü', '', '__proto__', 'bob', 'x'.repeat(300)];
    const response = await running.call('post', '/users/batch/status', { body: { usernames } }).expect(200);
    expectOrder(response, ['action', 'data', 'timestamp', 'duration']);
    expect(response.body.action).toBe('get batch user status');
    const online = new Set(['BOB', 'bob']);
    expect(JSON.stringify(response.body.data)).toBe(
      JSON.stringify(usernames.map((name) => ({ [name]: online.has(name) ? 'online' : 'offline' }))),
    );
  });

  it('400 for batch status of none, of over 100, and of anything but a list of names', async () => {
    const call = (usernames: unknown) => running.call('post', '/users/batch/status', { body: { usernames } });
    await call(Array.from({ length: 100 }, (_, index) => `u${index}`)).expect(200);
    expectError(
      await call(Array.from({ length: 101 }, (_, index) => `u${index}`)),
      agoraErrors.illegal('request body exceeds maximum limit, maximum limit is 100'),
    );
    for (const wrong of [[], 'ann', [1], undefined, null, {}, [['ann']]])
      expectError(await call(wrong), agoraErrors.illegal(/usernames/));
  });

  it('200 for disconnect, which ends every session with its reason, and every earlier token', async () => {
    const user = { username: 'eve', grant_type: 'inherit' };
    const { access_token: token } = (await running.call('post', '/token', { body: user })).body as {
      access_token: string;
    };
    const byToken = await GatewayClient.login(running.url, running.path, token, { device: 'other' });
    const byName = await login('eve');
    const response = await running.call('get', '/users/eve/disconnect').expect(200);
    expectOrder(response, [...withResult, 'applicationName']);
    expect(response.body).toMatchObject({ entities: [], action: 'get', data: { result: true } });
    for (const client of [byToken, byName])
      expect(await kicked(client)).toEqual([{ type: 'kicked', reason: 'forced_offline' }, 4002]);
    expect(await state('eve')).toBe('offline');
    const again = await GatewayClient.connect(running.url, running.path);
    again.send({ type: 'login', token });
    expect(await again.next()).toMatchObject({ type: 'error', code: 'token_not_accepted' });
  });

  it.each([
    ['a ban', 'banned', 4001, (name: string) => running.call('post', `/users/${name}/deactivate`)],
    ['a delete', 'deleted', 4003, (name: string) => running.call('delete', `/users/${name}`)],
    [
      'a new password',
      'password_changed',
      4004,
      (name: string) => running.call('put', `/users/${name}/password`, { body: { newpassword: 'x' } }),
    ],
    ['a revocation', 'token_revoked', 4005, (name: string) => running.call('post', `/token/users/${name}/invalid`)],
    [
      'its other spelling',
      'token_revoked',
      4005,
      (name: string) => running.call('post', `/token/user/${name}/invalid`),
    ],
  ])('200 and %s closes the sessions of that user alone', async (what, reason, code, call) => {
    const name = `victim-${what.replaceAll(' ', '-')}`;
    await running.register(name);
    const client = await login(name);
    const bystander = await login('bob', { device: 'bystander' });
    await call(name).expect(200);
    expect(await kicked(client)).toEqual([{ type: 'kicked', reason }, code]);
    expect(bystander.open).toBe(true);
  });

  it('200 for resources, which lists the devices, oldest first, and none of an offline user', async () => {
    const empty = await running.call('get', '/users/cat/resources').expect(200);
    expectOrder(empty, ['path', ...withResult, 'applicationName']);
    expect(empty.body.data).toEqual([]);
    await login('cat', { platform: 'web', device: 'w', device_name: 'Firefox' });
    await login('cat', { platform: 'ios', device: 'i' });
    expect((await running.call('get', '/users/cat/resources')).body).toMatchObject({
      path: '/users/cat/resources',
      action: 'get',
      data: [
        { res: 'web_w', device_uuid: 'w', device_name: 'Firefox' },
        { res: 'ios_i', device_uuid: 'i', device_name: 'i' },
      ],
    });
  });

  it.each(['delete', 'get'] as const)(
    '200 for %s disconnect of one device, which leaves the others and its token alone',
    async (method) => {
      const targeted = await login('cat', { platform: 'ios', device: 'one' });
      const other = await login('cat', { platform: 'ios', device: 'two' });
      const response = await running.call(method, '/users/cat/disconnect/ios_one').expect(200);
      expectOrder(response, [...withResult, 'applicationName']);
      expect(response.body).toMatchObject({ action: method, data: { result: true } });
      expect(await kicked(targeted)).toEqual([{ type: 'kicked', reason: 'forced_offline' }, 4002]);
      expect(other.open).toBe(true);
      await login('cat', { platform: 'ios', device: 'one' });
      expect((await running.call(method, '/users/cat/disconnect/ios_none')).body.data).toEqual({ result: false });
    },
  );

  it('the fifth device of a platform replaces the oldest; the same device replaces itself', async () => {
    const devices = ['1', '2', '3', '4'];
    const first = [];
    for (const device of devices) first.push(await login('dan', { platform: 'ios', device }));
    await login('dan', { platform: 'android', device: '1' });
    const again = await login('dan', { platform: 'ios', device: '2' });
    expect(await kicked(first[1] as GatewayClient)).toEqual([{ type: 'kicked', reason: 'replaced' }, 4007]);
    await login('dan', { platform: 'ios', device: '5' });
    expect(await kicked(first[0] as GatewayClient)).toEqual([{ type: 'kicked', reason: 'replaced' }, 4007]);
    expect([first[2]?.open, first[3]?.open, again.open]).toEqual([true, true, true]);
    const { data } = (await running.call('get', '/users/dan/resources')).body as { data: { res: string }[] };
    expect(data.map(({ res }) => res)).toEqual(['ios_3', 'ios_4', 'android_1', 'ios_2', 'ios_5']);
  });

  it('200 for online, which lists online users by name, in pages, with the total', async () => {
    for (const name of ['dan', 'ann', 'cat']) await login(name);
    await login('ann', { device: 'second' });
    const page = await running.call('get', '/online?limit=2').expect(200);
    const names = (body: { data: { username: string }[] }): string[] => body.data.map(({ username }) => username);
    expect(page.body).toMatchObject({ action: 'get', path: '/online', count: 2, total: 3 });
    expect(names(page.body)).toEqual(['ann', 'cat']);
    expect(page.body.data[0].sessions).toHaveLength(2);
    const last = await running.call('get', `/online?limit=2&cursor=${page.body.cursor}`).expect(200);
    expect(names(last.body)).toEqual(['dan']);
    expect(last.body).not.toHaveProperty('cursor');
    expectError(
      await running.call('get', '/online?cursor=bm9uZQ'),
      agoraErrors.illegal('cursor is not one that this app gave out'),
    );
  });

  it('401 without an app token, and nothing of another app is visible', async () => {
    for (const [method, path] of [
      ['get', '/users/ann/status'],
      ['post', '/users/batch/status'],
      ['get', '/users/ann/disconnect'],
      ['get', '/online'],
      ['post', '/token/users/ann/invalid'],
    ] as const)
      expectError(await running.call(method, path, { token: null }), agoraErrors.noToken);
  });

  it('a new user of the same name does not inherit the presence of the old one', async () => {
    await running.register('reborn');
    const old = await login('reborn');
    await running.call('delete', '/users/reborn').expect(200);
    await running.register('reborn');
    // A token by name of the same second could be meant for the old user.
    await nextSecond();
    const fresh = await login('reborn');
    expect(await kicked(old)).toEqual([{ type: 'kicked', reason: 'deleted' }, 4003]);
    expect(fresh.open).toBe(true);
  });
});
