import { aUsername } from '../../factories/user.factory.js';
import { agoraErrors, anEntity, entityMembers, expectError, expectOrder } from '../../support/agora-answers.js';
import { rawCall } from '../../support/raw-call.js';
import { type RunningApp, startApp } from '../../support/start-app.js';

describe('one user', () => {
  let running: RunningApp;

  beforeAll(async () => {
    running = await startApp();
  });
  afterAll(() => running.stop());

  describe('GET /users/{username}', () => {
    const get = (name: string) => running.call('get', `/users/${name}`);
    const raw = (name: string) => rawCall(running.url, 'GET', `${running.path}/users/${name}`, running);

    it('200 with the example of the seed', async () => {
      const user = await running.register(aUsername(), { nickname: 'testuser' });
      const response = await get(user.username);
      expect(response.status).toBe(200);
      expectOrder(
        response,
        ['action', 'path', 'uri', 'entities', 'timestamp', 'duration', 'count'],
        [...entityMembers, 'nickname'],
      );
      expect(response.body).toEqual({
        action: 'get',
        path: '/users',
        uri: `${running.url}${running.path}/users/${user.username}`,
        entities: [user],
        timestamp: expect.any(Number),
        duration: expect.any(Number),
        count: 1,
      });
    });

    it('200 under /app-id/{app_id}', async () => {
      const user = await running.register(aUsername());
      const response = await running.call('get', `//app-id/${running.app.appId}/users/${user.username}`);
      expect(response.body).toMatchObject({
        entities: [user],
        uri: `${running.url}${running.path}/users/${user.username}`,
      });
    });

    it('200 for the name in any case, percent-encoded or not', async () => {
      const user = await running.register(aUsername('some.name_'));
      expect((await get(user.username.toUpperCase())).body.entities).toEqual([user]);
      expect((await raw(user.username.replaceAll('-', '%2D').replace('.', '%2e'))).body.entities).toEqual([user]);
    });

    it('200 for the uuid in place of the name, in any case', async () => {
      const user = await running.register(aUsername());
      expect((await get(user.uuid)).body.entities).toEqual([user]);
      expect((await get(user.uuid.toUpperCase())).body.entities).toEqual([user]);
    });

    it('200 for a banned user, as not activated', async () => {
      const user = await running.register(aUsername());
      await running.call('post', `/users/${user.username}/deactivate`);
      expect((await get(user.username)).body.entities[0].activated).toBe(false);
    });

    it('200 for a user called batch', async () => {
      const user = await running.register('batch');
      expect((await get('batch')).body.entities).toEqual([user]);
    });

    it('404 when the user is unknown', async () => {
      expectError(await get(aUsername()), agoraErrors.missingUser);
      expectError(await get('0ffe2d80-ed76-11e8-8d66-279e3e1c214b'), agoraErrors.missingUser);
    });

    it.each([
      ...['%00', '%2F', 'a%2Fb', '%20', '%F0%9F%8E%89', '%2562atch', '%2e%2e', '%2E', "'%20OR%201=1", 'a%0d%0ab'],
      ...['n'.repeat(255), 'n'.repeat(256), 'n'.repeat(1024), 'user@example.com'],
    ])('404 for %s', async (name) => {
      expectError(await raw(name), agoraErrors.missingUser);
    });

    it('404 for a name that is far longer than allowed', async () => {
      expectError(await raw('n'.repeat(3_000)), agoraErrors.missingUser);
    });

    it('404 for a user of another app, exactly as for an unknown one', async () => {
      const user = await running.register(aUsername());
      const other = await startAnother();
      const missing = await other('get', `/users/${aUsername()}`);
      const foreign = await other('get', `/users/${user.username}`);
      expectError(foreign, agoraErrors.missingUser);
      expect({ ...foreign.body, timestamp: 0, duration: 0 }).toEqual({ ...missing.body, timestamp: 0, duration: 0 });
      expectError(await other('get', `/users/${user.uuid}`), agoraErrors.missingUser);
      expectError(await other('delete', `/users/${user.uuid}`), agoraErrors.missingUser);
      expect((await get(user.username)).status).toBe(200);
    });

    it('200 with an empty body and a Content-Type, as PHP sends, and with {}', async () => {
      const user = await running.register(aUsername());
      const path = `${running.path}/users/${user.username}`;
      const headers = { 'content-type': 'application/json' };
      expect((await rawCall(running.url, 'GET', path, { ...running, headers })).status).toBe(200);
      expect((await rawCall(running.url, 'GET', path, { ...running, headers, body: '{}' })).status).toBe(200);
    });
  });

  describe('PUT /users/{username}', () => {
    const put = (name: string, body: unknown) => running.call('put', `/users/${name}`, { body });

    it('200 with the changed nickname', async () => {
      const user = await running.register(aUsername());
      const response = await put(user.username.toUpperCase(), { nickname: 'new name' });
      expect(response.status).toBe(200);
      expectOrder(
        response,
        [
          ...['action', 'application', 'path', 'uri', 'entities', 'timestamp', 'duration'],
          ...['organization', 'applicationName'],
        ],
        [...entityMembers, 'nickname'],
      );
      expect(response.body).toEqual({
        action: 'put',
        application: running.app.id,
        path: '/users',
        uri: `${running.url}${running.path}/users`,
        entities: [anEntity({ uuid: user.uuid, username: user.username, created: user.created, nickname: 'new name' })],
        timestamp: expect.any(Number),
        duration: expect.any(Number),
        organization: running.app.org,
        applicationName: running.app.name,
      });
      const changed = (await running.call('get', `/users/${user.uuid}`)).body.entities;
      expect(changed).toEqual(response.body.entities);
      expect(changed[0].modified).toBeGreaterThanOrEqual(user.modified);
    });

    it('200 by uuid', async () => {
      const user = await running.register(aUsername());
      expect((await put(user.uuid, { nickname: 'n' })).body.entities[0].username).toBe(user.username);
    });

    it('400 with nothing to change, for a nickname that is not text, and for one of over 100 characters', async () => {
      const { username } = await running.register(aUsername());
      expectError(await put(username, {}), agoraErrors.illegal(/^nickname is required, or one of/));
      expectError(await put(username, { nickname: 1 }), agoraErrors.illegal('nickname must be a string'));
      expectError(await put(username, { nickname: 'n'.repeat(101) }), agoraErrors.illegal('NICKNAME_TOO_LONG'));
      expectError(await put(username, '{"nickname":"a\\u0000b"}'), agoraErrors.illegal(/well-formed/));
    });

    it('400 before 404, as the body is checked first', async () => {
      expectError(await put(aUsername(), {}), agoraErrors.illegal(/^nickname is required, or one of/));
    });

    it('404 when the user is unknown', async () => {
      expectError(await put(aUsername(), { nickname: 'n' }), agoraErrors.missingUser);
    });
  });

  /** Calls as another app of the same organization, with that app's own token. */
  async function startAnother() {
    const { AppsService } = await import('../../../src/apps/apps.service.js');
    const { TokensService } = await import('../../../src/auth/tokens.service.js');
    const app = await running.nest.get(AppsService).create({ org: running.app.org, name: 'neighbour' });
    const token = running.nest.get(TokensService).issueAppToken(app).accessToken;
    return (method: 'get' | 'delete', path: string) =>
      running.call(method, `//${app.org}/${app.name}${path}`, { token });
  }
});
