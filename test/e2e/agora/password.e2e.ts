import { aUsername } from '../../factories/user.factory.js';
import { agoraErrors, expectError, expectOrder } from '../../support/agora-answers.js';
import { type RunningApp, startApp } from '../../support/start-app.js';

describe('/users/{username}/password', () => {
  let running: RunningApp;

  beforeAll(async () => {
    running = await startApp();
  });
  afterAll(() => running.stop());

  const change = (name: string, body: unknown, method: 'put' | 'post' = 'put') =>
    running.call(method, `/users/${name}/password`, { body });
  const login = (username: string, password: string) =>
    running.call('post', '/token', { body: { grant_type: 'password', username, password }, token: null });

  it.each(['put', 'post'] as const)(
    '200 to %s with the example of the seed, and the new password is valid',
    async (method) => {
      const { username } = await running.register(aUsername(), { password: 'old' });
      const response = await change(username, { newpassword: 'new' }, method);
      expect(response.status).toBe(200);
      expectOrder(response, ['action', 'timestamp', 'duration']);
      expect(response.body).toEqual({
        action: 'set user password',
        timestamp: expect.any(Number),
        duration: expect.any(Number),
      });
      expect((await login(username, 'new')).status).toBe(200);
      expectError(await login(username, 'old'), agoraErrors.grant('invalid password'));
    },
  );

  it('200 by uuid, in any case, under /app-id/{app_id}', async () => {
    const user = await running.register(aUsername());
    expect((await change(user.uuid.toUpperCase(), { newpassword: 'a' })).status).toBe(200);
    expect((await change(user.username.toUpperCase(), { newpassword: 'b' })).status).toBe(200);
    const path = `//app-id/${running.app.appId}/users/${user.username}/password`;
    expect((await running.call('put', path, { body: { newpassword: 'c' } })).status).toBe(200);
    expect((await login(user.username, 'c')).status).toBe(200);
  });

  it('200 and every byte counts: passwords that differ in the last of 64 are different', async () => {
    const { username } = await running.register(aUsername());
    const long = 'p'.repeat(63);
    await change(username, { newpassword: `${long}a` });
    expectError(await login(username, `${long}b`), agoraErrors.grant('invalid password'));
    expect((await login(username, `${long}a`)).status).toBe(200);
  });

  it('400 without a new password', async () => {
    const { username } = await running.register(aUsername());
    const missing = agoraErrors.illegal('newpassword is required');
    expectError(await change(username, {}), missing);
    expectError(await change(username, { newpassword: null }), missing);
    expectError(await running.call('put', `/users/${username}/password`), missing);
    expectError(await change(username, { password: 'x' }), missing);
  });

  it('400 for an empty one, for one of 65 bytes and for one that is not text', async () => {
    const { username } = await running.register(aUsername());
    expectError(await change(username, { newpassword: '' }), agoraErrors.illegal('newpassword is required'));
    expectError(
      await change(username, { newpassword: 'é'.repeat(33) }),
      agoraErrors.illegal('password must be at most 64 bytes'),
    );
    expectError(await change(username, { newpassword: 123456 }), agoraErrors.illegal('newpassword must be a string'));
    expect((await login(username, 'secret')).status).toBe(200);
  });

  it('404 as an entity when the user is unknown', async () => {
    expectError(await change(aUsername(), { newpassword: 'x' }), agoraErrors.missingEntity);
    expectError(await change(aUsername(), { newpassword: 'x' }, 'post'), agoraErrors.missingEntity);
  });
});
