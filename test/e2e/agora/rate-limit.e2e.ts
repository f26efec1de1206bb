import type { App } from '../../../src/apps/app.js';
import { AppsService } from '../../../src/apps/apps.service.js';
import { TokensService } from '../../../src/auth/tokens.service.js';
import { aUsername } from '../../factories/user.factory.js';
import { agoraErrors, expectError } from '../../support/agora-answers.js';
import { FixedClock } from '../../support/fixed-clock.js';
import { type CallOptions, type Method, type Response, type RunningApp, startApp } from '../../support/start-app.js';

/** Redis has its own clock, so there a flood has to fit into one second. */
const maxFloodMs = 900;

describe('rate limits', () => {
  let running: RunningApp;
  const clock = new FixedClock(Date.now());

  beforeAll(async () => {
    running = await startApp(globalThis.rollcallRedis ? {} : { clock });
  });
  afterAll(() => running.stop());

  /** A new app, so that no other test has used up its budget. */
  async function limitedApp(profile = 'agora'): Promise<{ app: App; token: string }> {
    const apps = running.nest.get(AppsService);
    const app = await apps.create({ org: running.app.org, name: aUsername('app') });
    const limited = await apps.set(app, 'rate_profile', profile);
    return { app: limited, token: running.nest.get(TokensService).issueAppToken(limited).accessToken };
  }

  /** This many concurrent calls, repeated with a new app if they did not fit into one second. */
  async function flood(
    count: number,
    method: Method,
    path: string,
    options: CallOptions = {},
    profile = 'agora',
  ): Promise<{ responses: Response[]; app: App; token: string }> {
    for (let attempt = 1; ; attempt += 1) {
      const limited = await limitedApp(profile);
      const target = `//${limited.app.org}/${limited.app.name}${path}`;
      const startedAt = performance.now();
      const responses = await Promise.all(
        Array.from({ length: count }, () =>
          running.call(method, target, { token: limited.token, ...options }).then((response) => response),
        ),
      );
      if (!globalThis.rollcallRedis || performance.now() - startedAt < maxFloodMs || attempt === 5)
        return { responses, ...limited };
    }
  }

  const count = (responses: Response[], status: number) =>
    responses.filter((response) => response.status === status).length;

  it.each<[number, Method, string, number]>([
    [100, 'get', '/users', 200],
    [100, 'get', '/users/nobody', 404],
    [100, 'post', '/users/nobody/deactivate', 404],
    [30, 'delete', '/users', 200],
  ])('429 after %i calls in a second of %s %s', async (limit, method, path, status) => {
    const { responses } = await flood(limit + 20, method, path);
    expect([count(responses, status), count(responses, 429)]).toEqual([limit, 20]);
    for (const response of responses) {
      expect(response.headers['ratelimit-limit']).toBe(String(limit));
      expect(Number(response.headers['ratelimit-remaining'])).toBeGreaterThanOrEqual(0);
      expect(response.headers['ratelimit-reset']).toBe('1');
    }
    const refused = responses.find((response) => response.status === 429) as Response;
    expectError(refused, agoraErrors.tooMany);
    expect(refused.headers['retry-after']).toBe('1');
    expect(refused.headers['ratelimit-remaining']).toBe('0');
  });

  it('2xx again when the second is over', async () => {
    const { responses, app, token } = await flood(101, 'get', '/users');
    expect(count(responses, 429)).toBe(1);
    const again = () => running.call('get', `//${app.org}/${app.name}/users`, { token });
    if (globalThis.rollcallRedis) {
      // Polled until a call is admitted, as Redis's clock cannot be moved. Only one, because there may be room for no
      // more.
      const startedAt = performance.now();
      let { status } = await again();
      while (status === 429 && performance.now() - startedAt < 3_000) ({ status } = await again());
      expect(status).toBe(200);
      return;
    }
    clock.advance(999);
    expect((await again()).status).toBe(429);
    clock.advance(1);
    expect((await again()).status).toBe(200);
  });

  it('2xx for other routes and other apps meanwhile', async () => {
    const { app, token } = await flood(110, 'get', '/users');
    expect((await running.call('get', `//${app.org}/${app.name}/users/x`, { token })).status).toBe(404);
    const other = await limitedApp();
    expect(
      (await running.call('get', `//${other.app.org}/${other.app.name}/users`, { token: other.token })).status,
    ).toBe(200);
  });

  it('429 counts both prefixes together', async () => {
    const { app, token } = await flood(100, 'get', '/users');
    expect((await running.call('get', `//app-id/${app.appId}/users`, { token })).status).toBe(429);
  });

  it('401 uses none of the budget, nor does 404 for an unknown app', async () => {
    const { app, token } = await limitedApp();
    const path = `//${app.org}/${app.name}/users`;
    const strangers = await Promise.all(
      Array.from({ length: 150 }, (_none, index) =>
        running.call('get', path, { token: index % 2 === 0 ? null : 'garbage' }).then((response) => response),
      ),
    );
    expect(count(strangers, 401)).toBe(150);
    expect(strangers.every((response) => response.headers['ratelimit-limit'] === undefined)).toBe(true);
    expect((await running.call('get', path, { token })).headers['ratelimit-remaining']).toBe('99');
  });

  it('429 comes before the body is read', async () => {
    const { responses, app, token } = await flood(101, 'post', '/users', { body: '{' });
    expect([count(responses, 400), count(responses, 429)]).toEqual([100, 1]);
    if (!globalThis.rollcallRedis)
      expect((await running.call('post', `//${app.org}/${app.name}/users`, { token, body: '{' })).status).toBe(429);
  });

  it('429 after 300 app tokens in a second, of which a wrong secret uses none', async () => {
    const { app } = await limitedApp();
    const requestToken = (secret: string | undefined) =>
      running
        .call('post', `//${app.org}/${app.name}/token`, {
          token: null,
          body: { grant_type: 'client_credentials', client_id: app.appId, client_secret: secret },
        })
        .then((response) => response);
    const wrong = await Promise.all(Array.from({ length: 50 }, () => requestToken('wrong')));
    expect(count(wrong, 400)).toBe(50);
    const startedAt = performance.now();
    const responses = await Promise.all(Array.from({ length: 320 }, () => requestToken(app.certificates[0])));
    const seconds = globalThis.rollcallRedis ? Math.ceil((performance.now() - startedAt) / 1_000) : 1;
    expect(count(responses, 200)).toBeGreaterThanOrEqual(300);
    expect(count(responses, 200)).toBeLessThanOrEqual(300 * seconds);
    if (!globalThis.rollcallRedis)
      expectError(responses.find(({ status }) => status === 429) as Response, agoraErrors.tooMany);
  });

  it('429 after 100 calls of all user routes together under the easemob profile', async () => {
    const { responses, app, token } = await flood(100, 'get', '/users', {}, 'easemob');
    expect(count(responses, 200)).toBe(100);
    const path = `//${app.org}/${app.name}/users`;
    expect((await running.call('get', `${path}/x`, { token })).status).toBe(429);
    // Routes with their own limit are not in the pool.
    expect((await running.call('delete', path, { token })).status).toBe(200);
  });

  it('2xx without limits and without their headers under the profile off', async () => {
    const { responses } = await flood(250, 'get', '/users', {}, 'off');
    expect(count(responses, 200)).toBe(250);
    expect(responses[0]?.headers).not.toHaveProperty('ratelimit-limit');
  });
});
