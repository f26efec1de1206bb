import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { TokensService } from '../../../src/auth/tokens.service.js';
import { UsersService } from '../../../src/users/users.service.js';
import { type Closed, type Frame, GatewayClient, refusal } from '../../support/gateway-client.js';
import { type RunningApp, startApp } from '../../support/start-app.js';
import { accessToken2 } from '../../support/tokens.js';

describe('gateway login', () => {
  let running: RunningApp;
  let uuid: string;
  beforeAll(async () => {
    running = await startApp({
      env: { GATEWAY_LOGIN_TIMEOUT_MS: '300', GATEWAY_ALLOWED_ORIGINS: 'https://a.example' },
    });
    uuid = (await running.register('Ann'))['uuid'] as string;
  });
  afterAll(() => running.stop());

  const connect = (headers?: Record<string, string>): Promise<GatewayClient> =>
    GatewayClient.connect(running.url, running.path, headers);
  const login = (token: string, more?: object): Promise<GatewayClient> =>
    GatewayClient.login(running.url, running.path, token, more);
  const userToken = async (name = 'ann'): Promise<string> => {
    const user = await running.nest.get(UsersService).get(running.app.id, name);
    return running.nest.get(TokensService).issueUserToken(running.app, user).accessToken;
  };
  const refused = async (frame: object): Promise<{ frame: Frame; closed: Closed }> => {
    const client = await connect();
    client.send(frame);
    return { frame: await client.next(), closed: await client.closed };
  };

  it('our own JWT opens a session, and `ready` has its members in order', async () => {
    const client = await login(await userToken(), { platform: 'iOS', device: 'd1' });
    expect(client.frames).toEqual([
      { type: 'ready', session: expect.any(String), resource: 'ios_d1', username: 'ann', offline: 0 },
    ]);
    expect(Object.keys(client.frames[0] as object)).toEqual(['type', 'session', 'resource', 'username', 'offline']);
    client.send({ type: 'ping' });
    expect(await client.next()).toEqual({ type: 'pong' });
    await client.close();
  });

  it.each([
    ['the uuid', () => uuid],
    ['the name', () => 'ann'],
    ['the name in another case', () => 'ANN'],
  ])('an AccessToken2 with %s opens a session', async (_what, userId) => {
    const client = await login(accessToken2(running.app, userId()));
    expect(client.frames[0]).toMatchObject({ username: 'ann', resource: expect.stringMatching(/^web_[\w-]{12}$/) });
    await client.close();
  });

  it('the Authorization header of the upgrade logs in without a frame, and the query names the device', async () => {
    const url = `${running.url.replace('http', 'ws')}/app-id/${running.app.appId}/ws?platform=android&device=tab`;
    const socket = new WebSocket(url, { headers: { authorization: `Bearer ${await userToken()}` } });
    const text = await new Promise<string>((resolve) =>
      socket.on('message', (data: Buffer) => resolve(data.toString())),
    );
    expect(JSON.parse(text)).toMatchObject({ type: 'ready', resource: 'android_tab', username: 'ann' });
    socket.terminate();
  });

  it.each([
    ['an app token', () => running.token, 'token_not_accepted'],
    ['garbage', () => 'garbage', 'token_malformed'],
    ['an AccessToken2 of the app', () => accessToken2(running.app), 'token_not_accepted'],
    ['the token of an unknown user', () => accessToken2(running.app, 'nobody'), 'token_not_accepted'],
    ['no token', () => '', 'token_missing'],
    ['a token that is not text', () => 7, 'token_missing'],
  ])('%s is refused with an error frame and 4010', async (_what, token, code) => {
    const { frame, closed } = await refused({ type: 'login', token: token() });
    expect(frame).toEqual({ type: 'error', code, message: expect.any(String) });
    expect(closed.code).toBe(4010);
  });

  it('the same tokens in the header get 401 before there is a socket', async () => {
    const answer = await refusal(`${running.url}${running.path}/ws`, { authorization: 'Bearer garbage' });
    expect(answer).toMatchObject({ status: 401, body: { code: 'token_malformed' } });
  });

  it('a banned user is refused', async () => {
    await running.register('banned');
    const token = accessToken2(running.app, 'banned');
    await running.call('post', '/users/banned/deactivate').expect(200);
    const { frame, closed } = await refused({ type: 'login', token });
    expect([frame['code'] as string, closed.code]).toEqual([expect.stringMatching(/user_banned|not_accepted/), 4010]);
  });

  it.each([
    ['platform', { platform: 'a b' }],
    ['device', { device: 'a/b' }],
    ['device name', { device_name: 'x'.repeat(101) }],
  ])('an invalid %s is refused', async (_what, member) => {
    const { frame } = await refused({ type: 'login', token: await userToken(), ...member });
    expect(frame['code']).toBe('argument_invalid');
  });

  it('a socket that does not log in is closed with 4011', async () => {
    const client = await connect();
    client.send({ type: 'ping' });
    expect(await client.next()).toEqual({ type: 'pong' });
    client.send({ type: 'ack', id: '1' });
    expect(await client.next()).toMatchObject({ type: 'error', code: 'login_required' });
    expect(await client.next()).toMatchObject({ type: 'error', code: 'login_timeout' });
    expect((await client.closed).code).toBe(4011);
  });

  it('a second login on the same socket is an error, and the session continues', async () => {
    const token = await userToken();
    const client = await login(token);
    client.send({ type: 'login', token });
    expect(await client.next()).toMatchObject({ type: 'error', code: 'login_repeated' });
    await sleep(400);
    expect(client.open).toBe(true);
    await client.close();
  });

  it.each([
    ['an unknown app', () => '/no/app/ws', 404, 'app_not_found'],
    ['another path', () => `${running.path}/wss`, 404, 'route_not_found'],
    ['a reserved organisation', () => '/console/app/ws', 404, 'route_not_found'],
    ['an unknown App ID', () => `/app-id/${'0'.repeat(32)}/ws`, 404, 'app_not_found'],
    ['a broken path', () => '/%ff/%ff/ws', 404, 'route_not_found'],
  ])('%s refuses the upgrade', async (_what, path, status, code) => {
    expect(await refusal(`${running.url}${path()}`)).toMatchObject({ status, body: { code } });
  });

  it('a query that is not UTF-8 refuses the upgrade; a UTF-8 one names the device', async () => {
    const token = await userToken();
    const url = `${running.url}${running.path}/ws?platform=web&device_name=`;
    const headers = { authorization: `Bearer ${token}` };
    for (const name of ['caf%E9', '%ff', 'caf%C3'])
      expect(await refusal(`${url}${name}`, headers)).toMatchObject({
        status: 400,
        body: { code: 'argument_invalid' },
      });
  });

  it('a disallowed origin is refused; the allowed one and a missing one are not', async () => {
    const url = `${running.url}${running.path}/ws`;
    expect(await refusal(url, { origin: 'https://b.example' })).toMatchObject({ status: 403 });
    await (await connect({ origin: 'https://a.example' })).close();
    await (await connect()).close();
  });
});
