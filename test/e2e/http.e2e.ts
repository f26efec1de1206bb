import { type RunningApp, startApp } from '../support/start-app.js';

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

  it('200 without them for a page of another origin', async () => {
    expect(await allowedFor('https://c.test')).toBeUndefined();
  });
});
