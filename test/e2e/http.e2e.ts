import { GatewayClient } from '../support/gateway-client.js';
import { type RunningApp, startApp } from '../support/start-app.js';
import { accessToken2 } from '../support/tokens.js';

describe('what HTTP is like on every route', () => {
  let running: RunningApp;
  beforeAll(async () => {
    running = await startApp({ env: { CORS_ORIGIN: 'https://a.test, https://b.test' } });
    await running.register('ann');
  });
  afterAll(() => running.stop());

  const allowedFor = async (origin: string, path = '/users/ann') => {
    const { headers } = await running.call('get', path, { headers: { origin } });
    return headers['access-control-allow-origin'] as string | undefined;
  };

  it.each(['https://a.test', 'https://b.test'])('200 with the headers that a page of %s needs', async (origin) => {
    expect(await allowedFor(origin)).toBe(origin);
  });

  it.each([
    ['users/bea/disconnect', 'GET'],
    ['users/cem/disconnect/web_tab', 'DELETE, GET'],
  ])('405 for HEAD on %s, which has no effect', async (path, allow) => {
    const username = path.split('/')[1] as string;
    await running.register(username);
    const client = await GatewayClient.login(running.url, running.path, accessToken2(running.app, username), {
      ...{ platform: 'web', device: 'tab' },
    });
    const { status, headers, text } = await running.call('head', `/${path}`);
    expect({ status, text: text ?? '' }).toEqual({ status: 405, text: '' });
    expect((headers.allow as string).split(', ').sort().join(', ')).toBe(allow);
    // Whatever would end the session has been told it by then.
    expect((await running.call('get', `/users/${username}/status`)).body.data).toEqual({ [username]: 'online' });
    expect((await running.call('get', `/${path}`)).status).toBe(200);
    expect((await client.next()).type).toBe('kicked');
  });

  it('200 for HEAD on what only reads, without a body', async () => {
    const { status, text } = await running.call('head', '/users/ann/status');
    expect({ status, text: text ?? '' }).toEqual({ status: 200, text: '' });
  });

  it('200 without them for a page of another origin', async () => {
    expect(await allowedFor('https://c.test')).toBeUndefined();
  });
});
