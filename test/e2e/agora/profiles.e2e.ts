import { AppsService } from '../../../src/apps/apps.service.js';
import { aUsername } from '../../factories/user.factory.js';
import { agoraErrors, expectError } from '../../support/agora-answers.js';
import { type RunningApp, startApp } from '../../support/start-app.js';

describe('the profile of an app', () => {
  let running: RunningApp;

  beforeAll(async () => {
    running = await startApp();
  });
  afterAll(() => running.stop());

  const set = (...changes: [key: string, text: string][]) => running.nest.get(AppsService).setAll(running.app, changes);

  it.each([
    ['agora', true],
    ['off', true],
    ['easemob', false],
  ])('200 with the deleted user as %s shows it: activated %s', async (profile, activated) => {
    await set(['profile', profile]);
    const [one, another] = [aUsername('a'), aUsername('b')];
    await running.register(one);
    const deleted = await running.call('delete', `/users/${one}`);
    expect(deleted.body).toMatchObject({ entities: [{ username: one, activated }] });
    await running.register(another);
    const oldest = await running.call('delete', '/users?limit=1');
    expect(oldest.body).toMatchObject({ entities: [{ username: another, activated }] });
  });

  it('200 without a password under easemob, if the call has a token', async () => {
    await set(['profile', 'agora'], ['open_registration', 'true']);
    const register = (token?: null) =>
      running.call('post', '/users', { body: { username: aUsername() }, ...(token === null ? { token } : {}) });
    expectError(await register(), agoraErrors.illegal('password or pin must provided'));
    await set(['profile', 'easemob']);
    expect((await register()).status).toBe(200);
    expectError(await register(null), agoraErrors.illegal('password or pin must provided'));
  });

  it('429 at the limits of the profile, unless rate_profile overrides it', async () => {
    const limit = async () => (await running.call('delete', '/users?limit=1')).headers['ratelimit-limit'] as unknown;
    await set(['profile', 'agora'], ['rate_profile', 'profile']);
    expect(await limit()).toBe('30');
    await set(['profile', 'off']);
    expect(await limit()).toBeUndefined();
    await set(['rate_profile', 'agora']);
    expect(await limit()).toBe('30');
    await set(['profile', 'easemob'], ['rate_profile', 'off']);
    expect(await limit()).toBeUndefined();
  });

  it('the command line lists the profiles', async () => {
    await expect(set(['profile', 'aurora'])).rejects.toThrow('profile must be agora, easemob, off');
    await expect(set(['rate_profile', 'none'])).rejects.toThrow('rate_profile must be profile, agora, easemob, off');
  });
});
