import { TokensService } from '../../../src/auth/tokens.service.js';
import { AppsService } from '../../../src/apps/apps.service.js';
import type { App } from '../../../src/apps/app.js';
import { UserRevocationsService } from '../../../src/users/user-revocations.service.js';
import { aUsername } from '../../factories/user.factory.js';
import { agoraErrors, anEntity, entityMembers, expectError, expectOrder } from '../../support/agora-answers.js';
import { FixedClock } from '../../support/fixed-clock.js';
import { type CallOptions, type RunningApp, startApp } from '../../support/start-app.js';
import { accessToken2, accessToken2At } from '../../support/tokens.js';

const dayMs = 24 * 3600 * 1000;
const longestSeconds = 2_147_483_647;

describe('POST /token', () => {
  let running: RunningApp;
  let clock: FixedClock;

  beforeAll(async () => {
    // The official builder uses the system time, so the movable clock starts there.
    clock = new FixedClock(Date.now());
    running = await startApp({ clock });
  });
  afterAll(() => running.stop());

  const requestToken = (body: unknown, options: CallOptions = {}) =>
    running.call('post', '/token', { body, token: null, ...options });
  const credentials = () => ({
    grant_type: 'client_credentials',
    client_id: running.app.appId,
    client_secret: running.app.certificates[0],
  });
  const isAppToken = async (token: string) => (await running.call('get', '/users?limit=1', { token })).status === 200;
  const userOf = async (token: string) =>
    (await running.nest.get(TokensService).authenticateUser(running.app, token)).user.username;
  const refused = (token: string) =>
    expect(running.nest.get(TokensService).authenticateUser(running.app, token)).rejects.toMatchObject({
      code: 'token_not_accepted',
    });

  describe('with client_credentials', () => {
    it('200 with an app token that opens every route', async () => {
      const response = await requestToken(credentials());
      expect(response.status).toBe(200);
      expectOrder(response, ['application', 'access_token', 'expires_in']);
      expect(response.body).toEqual({
        application: running.app.id,
        access_token: expect.any(String),
        expires_in: running.app.settings.token_ttl_seconds,
      });
      expect(await isAppToken(response.body.access_token)).toBe(true);
    });

    it('200 under /app-id/{app_id}, with a form Content-Type, and in upper case', async () => {
      const body = { ...credentials(), client_id: running.app.appId.toUpperCase() };
      const path = `//app-id/${running.app.appId}/token`;
      const headers = { 'content-type': 'application/x-www-form-urlencoded' };
      expect((await running.call('post', path, { body, headers, token: null })).status).toBe(200);
    });

    it.each<[unknown, number]>([
      [60, 60],
      ['1024000', 1_024_000],
      [0, longestSeconds],
      ['0', longestSeconds],
      [9_999_999_999, longestSeconds],
      [null, 60 * 24 * 3600],
      ['', 60 * 24 * 3600],
    ])('200 for the ttl %j with %i seconds', async (ttl, seconds) => {
      expect((await requestToken({ ...credentials(), ttl })).body.expires_in).toBe(seconds);
    });

    it.each([-1, 1.5, 'soon', '-1', true, {}, [1]])('400 for the ttl %j', async (ttl) => {
      expectError(
        await requestToken({ ...credentials(), ttl }),
        agoraErrors.illegal(/^ttl must be a whole number of seconds/),
      );
    });

    it('401 once it has expired', async () => {
      const { access_token: token } = (await requestToken({ ...credentials(), ttl: 60 })).body;
      clock.advance(59_000);
      expect(await isAppToken(token)).toBe(true);
      clock.advance(1_000);
      expectError(await running.call('get', '/users', { token }), agoraErrors.expired);
    });

    it('400 for a wrong id or secret, which are not echoed', async () => {
      const idWrong = await requestToken({ ...credentials(), client_id: 'canary' });
      expectError(idWrong, agoraErrors.grant('client_id does not match'));
      const secretWrong = await requestToken({ ...credentials(), client_secret: 'canary' });
      expectError(secretWrong, agoraErrors.grant('client_secret does not match'));
      expectError(
        await requestToken({ grant_type: 'client_credentials' }),
        agoraErrors.grant('client_id does not match'),
      );
      expectError(
        await requestToken({ ...credentials(), client_secret: { $ne: 1 } }),
        agoraErrors.illegal('client_secret must be a string'),
      );
      expect(idWrong.text + secretWrong.text).not.toContain('canary');
    });
  });

  describe('with password', () => {
    const login = (username: string, password = 'secret', more = {}) =>
      requestToken({ grant_type: 'password', username, password, ...more });

    it('200 with a token of the user, and the user', async () => {
      const user = await running.register(aUsername());
      const response = await login(user.username.toUpperCase(), 'secret', { timestamp: 1, ttl: 100 });
      expect(response.status).toBe(200);
      expectOrder(response, ['access_token', 'expires_in', 'user']);
      expect(Object.keys(response.body.user)).toEqual(entityMembers);
      expect(response.body).toEqual({ access_token: expect.any(String), expires_in: 100, user });
      expect(await userOf(response.body.access_token)).toBe(user.username);
    });

    it('401 on a route that requires an app token', async () => {
      const { username } = await running.register(aUsername());
      const { access_token: token } = (await login(username)).body;
      expectError(await running.call('get', `/users/${username}`, { token }), agoraErrors.foreign);
    });

    it('400 for a wrong password', async () => {
      const { username } = await running.register(aUsername());
      expectError(await login(username, 'wrong'), agoraErrors.grant('invalid password'));
    });

    it('404 when the user is unknown', async () => {
      expectError(await login(aUsername()), agoraErrors.grant('user not found', 404));
    });

    it('400 for a banned user, but only with the right password', async () => {
      const { username } = await running.register(aUsername());
      await running.call('post', `/users/${username}/deactivate`);
      expectError(await login(username), agoraErrors.grant('user not activated'));
      expectError(await login(username, 'wrong'), agoraErrors.grant('invalid password'));
    });

    it('400 without a name or a password', async () => {
      for (const missing of [undefined, null, '']) {
        expectError(
          await requestToken({ grant_type: 'password', username: missing, password: 'x' }),
          agoraErrors.illegal('username is required'),
        );
        expectError(
          await requestToken({ grant_type: 'password', username: 'x', password: missing }),
          agoraErrors.illegal('password is required'),
        );
      }
    });

    it('400 for a number in place of text', async () => {
      expectError(await login(0 as unknown as string), agoraErrors.illegal('username must be a string'));
      expectError(await login('x', 0 as unknown as string), agoraErrors.illegal('password must be a string'));
    });

    it('429 after ten wrong guesses, for that user alone, and not for right passwords', async () => {
      const { username } = await running.register(aUsername());
      const other = await running.register(aUsername());
      for (let time = 0; time < 15; time += 1) expect((await login(username)).status).toBe(200);
      for (let guess = 0; guess < 10; guess += 1) expect((await login(username, `wrong${guess}`)).status).toBe(400);
      const limited = await login(username, 'wrong');
      expectError(limited, agoraErrors.tooMany);
      expect(Number(limited.headers['retry-after'])).toBeGreaterThan(0);
      expect(Number(limited.headers['retry-after'])).toBeLessThanOrEqual(60);
      // The right one too, or a guess that is answered differently would reveal it.
      expectError(await login(username.toUpperCase()), agoraErrors.tooMany);
      expect((await login(other.username)).status).toBe(200);
    });
  });

  describe('with inherit', () => {
    const inherit = (username: unknown, more = {}, options: CallOptions = { token: running.token }) =>
      requestToken({ grant_type: 'inherit', username, ...more }, options);

    it('200 with a token of the user', async () => {
      const user = await running.register(aUsername());
      const response = await inherit(user.username, { autoCreateUser: false, ttl: '60' });
      expectOrder(response, ['access_token', 'expires_in', 'user']);
      expect(response.body).toEqual({ access_token: expect.any(String), expires_in: 60, user });
      expect(await userOf(response.body.access_token)).toBe(user.username);
    });

    it('200 and the user is registered if autoCreateUser says so', async () => {
      const username = aUsername('Auto');
      const response = await inherit(username, { autoCreateUser: true });
      expect(response.body.user).toEqual(anEntity({ username: username.toLowerCase() }));
      const again = await inherit(username, { autoCreateUser: true });
      expect(again.body.user).toEqual(response.body.user);
    });

    it('200 for fifty concurrent grants that create the same user, all with that one', async () => {
      const username = aUsername();
      const responses = await Promise.all(
        Array.from({ length: 50 }, () => inherit(username, { autoCreateUser: true }).then((response) => response)),
      );
      expect(responses.map(({ status }) => status)).toEqual(Array(50).fill(200));
      expect(new Set(responses.map(({ body }) => body.user.uuid)).size).toBe(1);
    });

    it('200 with an AccessToken2 as the app token', async () => {
      const { username } = await running.register(aUsername());
      expect((await inherit(username, {}, { token: accessToken2(running.app) })).status).toBe(200);
    });

    it('404 when the user is unknown', async () => {
      expectError(await inherit(aUsername()), agoraErrors.missingEntity);
    });

    it('400 for an invalid name that would be registered', async () => {
      expectError(await inherit('!@#', { autoCreateUser: true }), agoraErrors.illegalName('!@#'));
      expectError(await inherit('n'.repeat(65), { autoCreateUser: true }), agoraErrors.illegal('USERNAME_TOO_LONG'));
      expectError(
        await inherit('x', { autoCreateUser: 'yes' }),
        agoraErrors.illegal('autoCreateUser must be true or false'),
      );
    });

    it('400 for a banned user', async () => {
      const { username } = await running.register(aUsername());
      await running.call('post', `/users/${username}/deactivate`);
      expectError(await inherit(username), agoraErrors.grant('user not activated'));
    });

    it('401 without an app token, with garbage, and with a user token', async () => {
      const { username } = await running.register(aUsername());
      expectError(await inherit(username, {}, { token: null }), agoraErrors.noToken);
      expectError(await inherit(username, {}, { token: 'garbage' }), agoraErrors.garbage);
      const { access_token: token } = (await inherit(username)).body;
      expectError(await inherit(username, {}, { token }), agoraErrors.foreign);
    });
  });

  describe('with agora', () => {
    const exchange = (token: string | null) => requestToken({ grant_type: 'agora' }, { token });

    it('200 with an app token of Rollcall for an AccessToken2 of an app', async () => {
      const response = await exchange(accessToken2(running.app, null, 600));
      expect(response.status).toBe(200);
      expectOrder(response, ['access_token', 'expire_timestamp']);
      expect(await isAppToken(response.body.access_token)).toBe(true);
      expect(response.body.expire_timestamp - Date.now()).toBeGreaterThan(500_000);
      expect(response.body.expire_timestamp - Date.now()).toBeLessThanOrEqual(601_000);
    });

    it('200 with a lifetime of at most 24 hours', async () => {
      const { expire_timestamp: end } = (await exchange(accessToken2(running.app, null, 4_000_000_000))).body;
      expect(end - clock.now()).toBeLessThanOrEqual(dayMs);
    });

    it('200 with a user token for the uuid of a user, or for the name', async () => {
      const user = await running.register(aUsername());
      for (const name of [user.uuid, user.username]) {
        // By the movable clock: a name opens no user that was registered after the token was issued.
        const response = await exchange(accessToken2At(running.app, name, clock.nowSeconds()));
        expect(await userOf(response.body.access_token)).toBe(user.username);
        expectError(await running.call('get', '/users', { token: response.body.access_token }), agoraErrors.foreign);
      }
    });

    it('401 for no token, garbage, a JWT, an unknown user, another app', async () => {
      expectError(await exchange(null), agoraErrors.noToken);
      expectError(await exchange('007garbage'), agoraErrors.garbage);
      expectError(await exchange(running.token), agoraErrors.garbage);
      expectError(await exchange(accessToken2(running.app, aUsername())), agoraErrors.foreign);
      const neighbour = await running.nest.get(AppsService).create({ org: running.app.org, name: aUsername() });
      expectError(await exchange(accessToken2(neighbour)), agoraErrors.foreign);
      const stolen: App = { ...running.app, certificates: neighbour.certificates };
      expectError(await exchange(accessToken2(stolen)), agoraErrors.garbage);
    });

    it('400 for a banned user', async () => {
      const user = await running.register(aUsername());
      await running.call('post', `/users/${user.username}/deactivate`);
      clock.advance(2_000);
      expect((await exchange(accessToken2(running.app, user.uuid))).status).toBeGreaterThanOrEqual(400);
    });
  });

  describe('a user token ends', () => {
    const endings: [string, (username: string) => Promise<unknown>][] = [
      ['with a ban', (username) => running.call('post', `/users/${username}/deactivate`).then((ban) => ban)],
      [
        'with a ban that was lifted',
        async (username) => {
          await running.call('post', `/users/${username}/deactivate`);
          await running.call('post', `/users/${username}/activate`);
        },
      ],
      [
        'with a change of the password',
        (username) =>
          running.call('put', `/users/${username}/password`, { body: { newpassword: 'n' } }).then((done) => done),
      ],
      ['with the user', (username) => running.call('delete', `/users/${username}`).then((done) => done)],
      [
        'with the user, also when the name is used again',
        async (username) => {
          await running.call('delete', `/users/${username}`);
          clock.advance(1_000);
          await running.register(username);
        },
      ],
    ];

    it.each(endings)('%s', async (_what, end) => {
      const user = await running.register(aUsername());
      const ownToken = (await requestToken({ grant_type: 'password', username: user.username, password: 'secret' }))
        .body.access_token;
      const official = accessToken2(running.app, user.uuid);
      expect(await userOf(ownToken)).toBe(user.username);
      expect(await userOf(official)).toBe(user.username);
      await end(user.username);
      await refused(ownToken);
      await refused(official);
      expect((await requestToken({ grant_type: 'agora' }, { token: official })).status).toBe(401);
    });

    it('200 for newer tokens', async () => {
      const { username } = await running.register(aUsername());
      await running.call('put', `/users/${username}/password`, { body: { newpassword: 'new' } });
      const { body } = await requestToken({ grant_type: 'password', username, password: 'new' });
      expect(await userOf(body.access_token)).toBe(username);
      await running.nest.get(UserRevocationsService).revokeTokens(running.app.id, username);
      await refused(body.access_token);
    });
  });

  it('400 for an unknown grant type, or none', async () => {
    expectError(await requestToken({ grant_type: 'magic' }), agoraErrors.grant(/grant_type must be/));
    expectError(await requestToken({}), agoraErrors.illegal(/^grant_type is required/));
    expectError(await requestToken(''), agoraErrors.illegal(/^grant_type is required/));
    expectError(await requestToken('{'), agoraErrors.json);
    expectError(await requestToken('[]'), agoraErrors.illegal('the body must be a JSON object'));
  });

  it('404 when the app is unknown', async () => {
    expectError(
      await running.call('post', '//nobody/nothing/token', { body: credentials(), token: null }),
      agoraErrors.missingApp('nobody/nothing', 'nobody/nothing/token'),
    );
  });
});
