import type { App } from '../../../src/apps/app.js';
import { AppsService } from '../../../src/apps/apps.service.js';
import { agoraErrors, expectError } from '../../support/agora-answers.js';
import { type RunningApp, startApp } from '../../support/start-app.js';

describe("an app's second pair of credentials", () => {
  let running: RunningApp;
  const pair = { client_id: 'YXA6-id_of.Easemob', client_secret: 'YXA6aB3dE6gH9jK2mN5pQ8sT1vW4y' };

  beforeAll(async () => {
    running = await startApp();
  });
  afterAll(() => running.stop());

  const apps = () => running.nest.get(AppsService);
  const set = (changes: Readonly<Record<string, string>>): Promise<App> =>
    apps().setAll(running.app, Object.entries(changes));
  const grant = (credentials: object) =>
    running.call('post', '/token', { token: null, body: { grant_type: 'client_credentials', ...credentials } });

  it('200 with an app token, as for the App ID and certificate', async () => {
    await set(pair);
    const answer = await grant(pair);
    expect(answer.body).toMatchObject({ application: running.app.id, expires_in: expect.any(Number) });
    const { access_token: token } = answer.body as { access_token: string };
    expect((await running.call('get', '/users', { token })).status).toBe(200);
    const [certificate] = running.app.certificates;
    expect((await grant({ client_id: running.app.appId, client_secret: certificate })).status).toBe(200);
  });

  it('400 for half of a pair, for another spelling, and for a mix of both pairs', async () => {
    await set(pair);
    const { appId, certificates } = running.app;
    expectError(await grant({ ...pair, client_secret: '' }), agoraErrors.grant('client_secret does not match'));
    expectError(
      await grant({ ...pair, client_secret: pair.client_secret.toLowerCase() }),
      agoraErrors.grant('client_secret does not match'),
    );
    expectError(
      await grant({ ...pair, client_secret: certificates[0] }),
      agoraErrors.grant('client_secret does not match'),
    );
    expectError(await grant({ ...pair, client_id: appId }), agoraErrors.grant('client_secret does not match'));
    expectError(
      await grant({ ...pair, client_id: pair.client_id.toLowerCase() }),
      agoraErrors.grant('client_id does not match'),
    );
  });

  it('400 once the pair was removed, and after a leak', async () => {
    for (const end of [() => set({ client_id: '' }), () => apps().replaceSecrets(running.app)]) {
      await set(pair);
      expect((await grant(pair)).status).toBe(200);
      await end();
      expectError(await grant(pair), agoraErrors.grant('client_id does not match'));
    }
  });

  it('setting an id without a secret, or a secret without an id, is refused', async () => {
    await set({ client_id: '' });
    const together = 'client_id and client_secret are set in one call: client_id=… client_secret=…';
    await expect(set({ client_id: pair.client_id })).rejects.toMatchObject({ detail: together });
    await expect(set({ client_secret: pair.client_secret })).rejects.toMatchObject({ detail: together });
    expect((await set(pair)).clientCredentials).toEqual({ id: pair.client_id, secret: pair.client_secret });
    const rotated = await set({ client_secret: 'another-secret-of-16' });
    expect(rotated.clientCredentials).toEqual({ id: pair.client_id, secret: 'another-secret-of-16' });
  });

  it.each([
    [{ ...pair, client_id: 'with a blank' }, /client_id must be 1 to 64/],
    [{ ...pair, client_id: 'a'.repeat(65) }, /client_id must be 1 to 64/],
    [{ ...pair, client_id: 'ab'.repeat(16) }, /not the 32 hex digits of an App ID/],
    [{ ...pair, client_secret: 'too short' }, /client_secret must be 16 to 128/],
    [{ ...pair, client_secret: 's'.repeat(129) }, /client_secret must be 16 to 128/],
  ])('refuses %j', async (changes, detail) => {
    await expect(set(changes)).rejects.toMatchObject({ detail: expect.stringMatching(detail) });
  });
});
