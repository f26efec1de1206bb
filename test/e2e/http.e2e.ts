import { GatewayClient } from '../support/gateway-client.js';
import { rawCall } from '../support/raw-call.js';
import { type RunningApp, startApp } from '../support/start-app.js';
import { accessToken2 } from '../support/tokens.js';

describe('HTTP behaviour shared by every route', () => {
  let running: RunningApp;
  beforeAll(async () => {
    running = await startApp({ env: { CORS_ORIGIN: 'https://a.test, https://b.test' } });
    await running.register('ann');
  });
  afterAll(() => running.stop());

  const allowedFor = async (origin: string, path = '/users/ann') => {
    const { headers } = await running.call('get', path, { headers: { origin } });
    return headers['access-control-allow-origin'];
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
    // By now, anything that would have ended the session has been signalled.
    expect((await running.call('get', `/users/${username}/status`)).body.data).toEqual({ [username]: 'online' });
    expect((await running.call('get', `/${path}`)).status).toBe(200);
    expect((await client.next()).type).toBe('kicked');
  });

  it('200 for HEAD on read-only routes, without a body', async () => {
    const { status, text } = await running.call('head', '/users/ann/status');
    expect({ status, text: text ?? '' }).toEqual({ status: 200, text: '' });
  });

  describe('a path', () => {
    const call = (method: string, path: string, more: { body?: string; token?: string | null } = {}) => {
      const { token = running.token, body } = more;
      return rawCall(running.url, method, path, { token: token ?? undefined, body });
    };

    it('200 with a trailing slash or doubled slashes, and the answer shows the path without them', async () => {
      const body = '{"username":"dee","password":"secret"}';
      const { status, body: registered } = await call('POST', `${running.path}/users/`, { body });
      expect({ status, path: registered.path, uri: registered.uri }).toEqual({
        ...{ status: 200, path: '/users', uri: `${running.url}${running.path}/users` },
      });
      for (const spelling of [`${running.path}/users/dee/`, `/${running.path}//users///dee//?x=/`]) {
        const { body: found } = await call('GET', spelling);
        expect(found).toMatchObject({ path: '/users', uri: `${running.url}${running.path}/users/dee`, count: 1 });
      }
    });

    it('405 as without the slash', async () => {
      const { status, headers } = await call('PATCH', `${running.path}//users/dee/`);
      expect({ status, allow: headers.allow }).toEqual({ status: 405, allow: 'GET, HEAD, PUT, DELETE' });
    });

    it('401 for an unusual spelling, just like for the usual one', async () => {
      expect((await call('GET', `/${running.path}/users/`, { token: null })).status).toBe(401);
      expect((await call('GET', `${running.path}/users%2F`)).status).toBe(404);
    });

    it('404 when a path segment is a whole URL: it is read as an organization', async () => {
      const { status, body } = await call('GET', '//evil.test/app/users');
      expect({ status, text: body.error_description }).toEqual({
        ...{ status: 404, text: 'Could not find application for evil.test/app from URI: evil.test/app/users' },
      });
    });

    it('404 with %2F, which is part of a name', async () => {
      for (const path of [
        `${running.path}%2Fusers`,
        `${running.path}/users%2Fann`,
        `${running.path}/users/ann%2Fstatus`,
      ])
        expect((await call('GET', path)).status).toBe(404);
      expect((await call('GET', `${running.path}/users/%2Fann`)).status).toBe(404);
    });

    it('404 for DELETE users/ without a limit, as sent by a client that lost the username', async () => {
      for (const path of ['/users/', '/users//', '//users/?cursor='])
        expect((await call('DELETE', `${running.path}${path}`)).status).toBe(404);
      expect((await call('GET', `${running.path}/users/ann`)).status).toBe(200);
    });

    it('200 for the API documentation page', async () => {
      expect((await call('GET', '//docs//')).text).toContain('Rollcall API');
    });

    it('101 for the gateway', async () => {
      for (const path of [`/${running.path}`, `${running.path}/`]) {
        const client = await GatewayClient.login(running.url, path, accessToken2(running.app, 'dee'));
        await client.close();
      }
    });

    it.each(['/%', '/a/%zz/users', '/a/b/users/%ff', '/api/v2.1/rest/%zz', '/docs/%zz', '/%zz/a/b/ws'])(
      '400 for %s, which cannot be decoded, with the headers of every answer',
      async (path) => {
        const headers = { origin: 'https://b.test' };
        const { status, headers: received, body } = await rawCall(running.url, 'GET', path, { headers });
        expect(status).toBe(400);
        expect(received['access-control-allow-origin']).toBe('https://b.test');
        expect(received['x-request-id']).toBeDefined();
        if (path.startsWith('/api/')) expect(body.error.message).toBe('the request cannot be read');
        else expect(body.error).toBe('web_application');
      },
    );
  });

  it('200 without them for a page of another origin', async () => {
    expect(await allowedFor('https://c.test')).toBeUndefined();
  });
});
