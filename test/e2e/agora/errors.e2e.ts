import { connect } from 'node:net';
import { AppsService } from '../../../src/apps/apps.service.js';
import { TokensService } from '../../../src/auth/tokens.service.js';
import type { App } from '../../../src/apps/app.js';
import { aRegistration, aUsername } from '../../factories/user.factory.js';
import { agoraErrors, expectError } from '../../support/agora-answers.js';
import { FixedClock } from '../../support/fixed-clock.js';
import { rawCall } from '../../support/raw-call.js';
import { type Method, type RunningApp, startApp } from '../../support/start-app.js';
import { accessToken2 } from '../../support/tokens.js';

/** Every route that requires an app token, with a valid body. */
const guarded: [Method, string, unknown][] = [
  ['post', '/users', { username: 'made-by-a-thief', password: 'x' }],
  ['get', '/users', undefined],
  ['delete', '/users', undefined],
  ['get', '/users/victim', undefined],
  ['put', '/users/victim', { nickname: 'stolen' }],
  ['delete', '/users/victim', undefined],
  ['put', '/users/victim/password', { newpassword: 'stolen' }],
  ['post', '/users/victim/password', { newpassword: 'stolen' }],
  ['post', '/users/victim/deactivate', undefined],
  ['post', '/users/victim/activate', undefined],
];

describe('errors', () => {
  let running: RunningApp;
  let clock: FixedClock;
  let neighbour: App;
  let stranger: App;

  beforeAll(async () => {
    clock = new FixedClock(Date.now());
    running = await startApp({ clock });
    const apps = running.nest.get(AppsService);
    neighbour = await apps.create({ org: running.app.org, name: 'neighbour' });
    stranger = await apps.create({ org: `x${running.app.org}`, name: running.app.name });
    await running.register('victim');
  });
  afterAll(() => running.stop());

  const tokens = () => running.nest.get(TokensService);

  describe.each(guarded)('%s %s', (method, path, body) => {
    const prefixes = () => [`/${running.path}`, `//app-id/${running.app.appId}`];
    const victim = async () => (await running.call('get', '/users/victim')).body.entities;

    it('401 without a valid token, and nothing happens', async () => {
      const before = await victim();
      const user = (await running.call('get', '/users/victim')).body.entities[0];
      const userToken = (await running.call('post', '/token', { body: { grant_type: 'inherit', username: 'victim' } }))
        .body.access_token as string;
      const expired = tokens().issueAppToken(running.app, 1).accessToken;
      clock.advance(2_000);
      const noToken = method === 'post' && path === '/users' ? agoraErrors.closed : agoraErrors.noToken;
      const cases: [string | null, (typeof agoraErrors)['noToken']][] = [
        [null, noToken],
        ['garbage', agoraErrors.garbage],
        ['007garbage', agoraErrors.garbage],
        [`${running.token}x`, agoraErrors.garbage],
        [running.token.slice(0, -2), agoraErrors.garbage],
        [expired, agoraErrors.expired],
        [accessToken2(running.app, null, 0), agoraErrors.expired],
        [tokens().issueAppToken(neighbour).accessToken, agoraErrors.foreign],
        [tokens().issueAppToken(stranger).accessToken, agoraErrors.foreign],
        [accessToken2(neighbour), agoraErrors.foreign],
        [userToken, agoraErrors.foreign],
        [accessToken2(running.app, user.uuid), agoraErrors.foreign],
      ];
      for (const prefix of prefixes())
        for (const [token, expected] of cases)
          expectError(await running.call(method, `${prefix}${path}`, { body, token }), expected);
      // Access is checked before anything is revealed about the user, the app's limits or the body.
      const unknown = path.replace('victim', aUsername());
      expectError(await running.call(method, unknown, { body: '{', token: null }), noToken);
      expect(await victim()).toEqual(before);
      expect((await running.call('get', '/users/made-by-a-thief')).status).toBe(404);
    });

    it('401 for schemes other than Bearer, and for none', async () => {
      for (const authorization of ['Basic dTpw', 'Bearer', 'Bearer ', running.token, `Token ${running.token}`]) {
        const response = await running.call(method, path, { body, token: null, headers: { authorization } });
        expectError(response, agoraErrors.noToken);
      }
    });

    it('404 when the app is unknown, before the token is checked', async () => {
      for (const token of [running.token, null, 'garbage']) {
        expectError(
          await running.call(method, `//${running.app.org}/nothing${path}`, { body, token }),
          agoraErrors.missingApp(`${running.app.org}/nothing`, `${running.app.org}/nothing${path}`),
        );
        expectError(
          await running.call(method, `//app-id/${'0'.repeat(32)}${path}`, { body, token }),
          agoraErrors.missingApp(`app-id/${'0'.repeat(32)}`, `app-id/${'0'.repeat(32)}${path}`),
        );
      }
    });

    it('404 below a reserved organisation', async () => {
      for (const org of ['console', 'docs', 'health', 'metrics', '_emulator', 'Console'])
        expectError(
          await running.call(method, `//${org}/${running.app.name}${path}`, { body }),
          agoraErrors.missingRoute,
        );
    });

    it('2xx with our app token and with one from the official builder', async () => {
      const user = aUsername();
      await running.register(user);
      const own = path.replace('victim', user);
      const request = path === '/users' && method === 'post' ? aRegistration() : body;
      // The lists are left to the last app, as they would delete the victim.
      if (method === 'delete' && path === '/users') {
        const [ours, official] = [tokens().issueAppToken(neighbour).accessToken, accessToken2(neighbour)];
        for (const token of [ours, official]) {
          const response = await running.call(method, `//${neighbour.org}/${neighbour.name}${own}`, { token });
          expect(response.status).toBe(200);
        }
        return;
      }
      expect((await running.call(method, own, { body: request, token: accessToken2(running.app) })).status).toBe(200);
      if (method === 'delete') await running.register(user);
      const again = path === '/users' && method === 'post' ? aRegistration() : request;
      expect((await running.call(method, own, { body: again })).status).toBe(200);
    });
  });

  it('200 until the signing certificate is removed, then 401', async () => {
    const apps = running.nest.get(AppsService);
    const first = await apps.create({ org: running.app.org, name: 'rotated' });
    const both = [tokens().issueAppToken(first).accessToken, accessToken2(first)];
    const list = (token: string) => running.call('get', `//${first.org}/${first.name}/users`, { token });
    const second = await apps.rotate(first);
    for (const token of [...both, accessToken2(second), tokens().issueAppToken(second).accessToken])
      expect((await list(token)).status).toBe(200);
    await apps.set(second, 'previous_certificate', 'none');
    for (const token of both) expect((await list(token)).status).toBe(401);
    expect((await list(accessToken2(second))).status).toBe(200);
  });

  it('403 when the app is disabled', async () => {
    const apps = running.nest.get(AppsService);
    const app = await apps.create({ org: running.app.org, name: 'off' });
    const token = tokens().issueAppToken(app).accessToken;
    await apps.set(app, 'disabled', 'true');
    expectError(await running.call('get', `//${app.org}/${app.name}/users`, { token }), {
      status: 403,
      error: 'forbidden_op',
      description: 'Service operation not allowed',
    });
  });

  describe('404 for a path that is not a route', () => {
    it.each([
      '/',
      '/x',
      '/users',
      '/a/b',
      '/a/b/c',
      '/a/b/users/c/d',
      '/a/b/users/c/nothing',
      '/console/api/users',
      '//',
      '/%2e%2e/x',
    ])('%s', async (path) => {
      const answer = await rawCall(running.url, 'GET', path, running);
      expect(answer.status).toBe(404);
      expectError(
        answer,
        path === '/a/b/users' ? agoraErrors.missingApp('a/b', 'a/b/users') : agoraErrors.missingRoute,
      );
    });
  });

  describe('405 with Allow for a method that a path does not support', () => {
    it.each<[string, string, string[]]>([
      ['PATCH', '/users', ['DELETE', 'GET', 'HEAD', 'POST']],
      ['PUT', '/users', ['DELETE', 'GET', 'HEAD', 'POST']],
      ['POST', '/users/victim', ['DELETE', 'GET', 'HEAD', 'PUT']],
      ['PATCH', '/users/victim?x=1', ['DELETE', 'GET', 'HEAD', 'PUT']],
      ['GET', '/users/victim/password', ['POST', 'PUT']],
      ['GET', '/users/victim/deactivate', ['POST']],
      ['PUT', '/users/victim/activate', ['POST']],
      ['GET', '/token', ['POST']],
      ['TRACE', '/users', ['DELETE', 'GET', 'HEAD', 'POST']],
    ])('%s %s', async (method, path, allowed) => {
      for (const prefix of [running.path, `/app-id/${running.app.appId}`]) {
        const answer = await rawCall(running.url, method, `${prefix}${path}`, running);
        expectError(answer, agoraErrors.wrongMethod);
        expect(String(answer.headers.allow).split(', ').sort()).toEqual(allowed);
      }
    });
  });

  describe('bodies', () => {
    const post = (body: string) => running.call('post', '/users', { body });

    it('413 over 64 KiB, and 200 below', async () => {
      const padded = (bytes: number) => {
        const body = JSON.stringify({ ...aRegistration(), padding: '' });
        return body.replace('"padding":""', `"padding":"${'x'.repeat(bytes - body.length)}"`);
      };
      expect((await post(padded(65_536))).status).toBe(200);
      expectError(await post(padded(65_537)), agoraErrors.tooLarge);
    });

    it.each<[string, string]>([
      ['over 32 levels', `{"username":${'['.repeat(33)}${']'.repeat(33)}}`],
      ['of 2,000 levels', `${'['.repeat(2_000)}${']'.repeat(2_000)}`],
      ['with over 1,024 members', `{${Array.from({ length: 1_025 }, (_none, index) => `"m${index}":1`).join()}}`],
      ['with a member twice', '{"username":"first","username":"second","password":"x"}'],
      ['with a member twice, one of them escaped', '{"username":"first","user\\u006eame":"second","password":"x"}'],
      ['with __proto__', '{"username":"u","password":"x","__proto__":{"isAdmin":true}}'],
      ['that ends early', '{"username":"u"'],
      ['that is two', '{}{}'],
      ['that is not JSON', 'username=u&password=x'],
    ])('400 for JSON %s', async (_what, body) => {
      expectError(await post(body), agoraErrors.json);
    });

    it('400 for bytes that are not UTF-8, without echoing what was sent', async () => {
      const answer = await rawCall(running.url, 'POST', `${running.path}/users`, {
        ...running,
        body: '{"username":"canary","password":"canary',
      });
      expectError(answer, agoraErrors.json);
      expect(answer.text).not.toContain('canary');
      const response = await running
        .call('post', '/users')
        .set('content-type', 'application/json')
        .serialize((bytes: unknown) => bytes as string)
        .send(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]));
      expectError(response, agoraErrors.json);
    });
  });

  describe('requests that cannot be parsed', () => {
    it.each([['/%'], ['/%zz/b/users'], ['/a/b/users/%ff'], ['/a/b/users/%c0%af']])(
      '400 for the path %s',
      async (path) => {
        expectError(await rawCall(running.url, 'GET', path, running), {
          status: 400,
          error: 'web_application',
          description: 'javax.ws.rs.WebApplicationException',
        });
      },
    );

    const send = (text: string): Promise<string> =>
      new Promise((resolve, reject) => {
        const socket = connect(Number(new URL(running.url).port), '127.0.0.1', () => socket.write(text));
        let answer = '';
        socket.setEncoding('utf8').on('data', (part: string) => (answer += part));
        socket.on('end', () => resolve(answer)).on('error', reject);
      });

    it.each([
      ['no HTTP', 'HELLO\r\n\r\n'],
      ['two lengths', 'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n{}'],
      [
        'a length and chunks',
        'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
      ],
    ])('400 for %s, in our error format', async (_what, text) => {
      const answer = await send(text);
      expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
      expect(answer).toMatch(/\r\nconnection: close\r\n/i);
      const [, body = ''] = answer.split('\r\n\r\n');
      expectError(
        { status: 400, body: JSON.parse(body), headers: { 'content-type': 'application/json' } },
        { status: 400, error: 'web_application', description: 'javax.ws.rs.WebApplicationException' },
      );
    });
  });

  it.each([
    ['gzip', '{"username":"zipped","password":"secret"}'],
    ['br, gzip', '{}'],
    ['x', '{}'],
  ])('415 for a body with Content-Encoding: %s, with a hint how to send it', async (encoding, body) => {
    const headers = { 'content-encoding': encoding, origin: 'https://x.example.com' };
    const response = await running.call('post', '/users', { body, headers });
    expectError(response, {
      ...{ status: 415, error: 'web_application', exception: 'WebApplicationException' },
      description: 'Unsupported Media Type. Send the body without a Content-Encoding.',
    });
    expect(response.headers['accept-encoding']).toBe('identity');
    expect(response.headers['access-control-allow-origin']).toBe('*');
  });

  it('414 for a query of 9 KiB, with the headers that a browser needs', async () => {
    const response = await running.call('get', `/users?limit=${'1'.repeat(9_216)}`, {
      headers: { origin: 'https://x.example.com' },
    });
    expectError(response, {
      status: 414,
      error: 'request_uri_too_long',
      description: 'path and query exceed 8192 bytes',
    });
    expect(response.headers['access-control-allow-origin']).toBe('*');
  });

  it('404 with different texts for an unknown route and an unknown user', async () => {
    const [route, user] = [await running.call('get', '/nothing'), await running.call('get', '/users/nobody')];
    expectError(route, agoraErrors.missingRoute);
    expectError(user, agoraErrors.missingUser);
    expect(route.body.error_description).not.toContain(user.body.error_description);
  });

  it('2xx for a preflight from a browser, for every method and for Authorization', async () => {
    for (const method of ['GET', 'POST', 'PUT', 'DELETE']) {
      const response = await running.call('options', '/users', {
        token: null,
        headers: {
          origin: 'https://dashboard.example.com',
          'access-control-request-method': method,
          'access-control-request-headers': 'authorization,content-type',
        },
      });
      expect(response.status).toBe(204);
      expect(response.headers['access-control-allow-origin']).toBe('*');
      expect(response.headers['access-control-allow-methods']).toContain(method);
      expect(response.headers['access-control-allow-headers']).toMatch(/authorization/i);
    }
    const plain = await running.call('get', '/users', { headers: { origin: 'https://dashboard.example.com' } });
    expect(plain.headers['access-control-allow-origin']).toBe('*');
    const refused = await running.call('get', '/users', { token: null, headers: { origin: 'https://x.example.com' } });
    expect(refused.headers['access-control-allow-origin']).toBe('*');
  });

  it.each<[string, Method, string, unknown]>([
    ['owner', 'post', '/chatgroups', { groupname: 'g', owner: 'x'.repeat(60_000) }],
    ['member', 'post', '/chatrooms', { name: 'r', owner: 'victim', members: ['\u0001'.repeat(10_000)] }],
    ['new member', 'post', '/chatgroups/1/users', { usernames: ['😀'.repeat(15_000)] }],
    ['sender', 'post', '/messages/users', { from: '\u0001'.repeat(10_000), to: ['a'], type: 'txt', body: {} }],
    ['group', 'get', `/chatgroups/${'%01'.repeat(1_024)}`, undefined],
    ['app', 'get', `//${'x'.repeat(6_000)}/y/users`, undefined],
    ['nonsense in JSON', 'post', '/users', `{"${'x'.repeat(60_000)}`],
  ])('4xx of at most 4 KiB, however long the %s in the request', async (_what, method, path, body) => {
    const response = await running.call(method, path, { body });
    expect(Math.floor(response.status / 100)).toBe(4);
    expect(Buffer.byteLength(response.text)).toBeLessThan(4_096);
    expect(response.text.isWellFormed()).toBe(true);
  });

  it('2xx and 4xx each with a unique request id', async () => {
    const ids = await Promise.all(
      Array.from({ length: 20 }, async (_none, index) => {
        const response = await running.call('get', index % 2 === 0 ? '/users' : `/users/${aUsername()}`);
        return response.headers['x-request-id'];
      }),
    );
    expect(new Set(ids).size).toBe(20);
    expect(ids.every((id) => typeof id === 'string' && id.length >= 8)).toBe(true);
  });
});
