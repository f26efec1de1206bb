import { AppsService } from '../../../src/apps/apps.service.js';
import { aRegistration, aUsername, registrations } from '../../factories/user.factory.js';
import { agoraErrors, anEntity, entityMembers, expectError, expectOrder } from '../../support/agora-answers.js';
import { type RunningApp, startApp } from '../../support/start-app.js';

const members = [
  ...['action', 'application', 'path', 'uri', 'entities', 'timestamp', 'data', 'duration'],
  ...['organization', 'applicationName'],
];

describe('POST /users', () => {
  let running: RunningApp;

  beforeAll(async () => {
    running = await startApp();
  });
  afterAll(() => running.stop());

  const post = (body: unknown, options = {}) => running.call('post', '/users', { body, ...options });
  const exists = async (username: string) => (await running.call('get', `/users/${username}`)).status === 200;
  const setting = async (key: string, value: string) => {
    const apps = running.nest.get(AppsService);
    await apps.set((await apps.find(running.app.org, running.app.name)) ?? running.app, key, value);
  };

  describe('of one user', () => {
    it('200 with the example of the seed', async () => {
      const username = aUsername();
      const response = await post({ username, password: '123' });
      expect(response.status).toBe(200);
      expectOrder(response, members, entityMembers);
      expect(response.body).toEqual({
        action: 'post',
        application: running.app.id,
        path: '/users',
        uri: `${running.url}${running.path}/users`,
        entities: [anEntity({ username })],
        timestamp: expect.any(Number),
        data: [],
        duration: expect.any(Number),
        organization: running.app.org,
        applicationName: running.app.name,
      });
      const [user] = response.body.entities;
      expect(user.modified).toBe(user.created);
      expect(Math.abs(response.body.timestamp - user.created)).toBeLessThan(5_000);
      expect(response.headers['content-type']).toMatch(/^application\/json/);
    });

    it('200 under /app-id/{app_id}, with org and app in its uri', async () => {
      const username = aUsername();
      const response = await running.call('post', `//app-id/${running.app.appId.toUpperCase()}/users`, {
        body: { username, password: '123' },
      });
      expect(response.status).toBe(200);
      expect(response.body.uri).toBe(`${running.url}${running.path}/users`);
      expect(await exists(username)).toBe(true);
    });

    it('200 with the nickname last, and without one that is empty', async () => {
      const withNickname = await post(aRegistration({ nickname: 'Ünïcode 名前 🎉' }));
      expectOrder(withNickname, members, [...entityMembers, 'nickname']);
      expect(withNickname.body.entities[0].nickname).toBe('Ünïcode 名前 🎉');
      const unnamed = await post(aRegistration({ nickname: '' }));
      expectOrder(unnamed, members, entityMembers);
    });

    it('200 with the name in lower case, whatever case was sent', async () => {
      const username = aUsername('MiXeD_Case.');
      const response = await post({ username, password: '123' });
      expect(response.body.entities[0].username).toBe(username.toLowerCase());
      expectError(
        await post({ username: username.toUpperCase(), password: '1' }),
        agoraErrors.duplicate(username.toUpperCase()),
      );
    });

    it.each([1, 64])('200 for a name of %i characters', async (length) => {
      const username = 'n'.repeat(length);
      expect((await post({ username, password: '1' })).body.entities).toEqual([anEntity({ username })]);
    });

    it('200 for a password of 64 bytes, and 400 for 65, counted in bytes', async () => {
      expect((await post(aRegistration({ password: 'é'.repeat(32) }))).status).toBe(200);
      const username = aUsername();
      expectError(
        await post({ username, password: `${'é'.repeat(32)}x` }),
        agoraErrors.illegal('password must be at most 64 bytes'),
      );
      expect(await exists(username)).toBe(false);
    });

    it('200 whatever the Content-Type says, or without one', async () => {
      for (const type of [
        '',
        'text/plain',
        'application/x-www-form-urlencoded',
        'application/json; charset=UTF-8',
        'x',
      ])
        expect((await post(aRegistration(), { headers: { 'content-type': type } })).status).toBe(200);
    });

    it('200 with unknown members, which are dropped', async () => {
      const response = await post(aRegistration({ activated: false, uuid: 'x', id: 1, isAdmin: true }));
      expect(response.body.entities[0]).toMatchObject({ activated: true });
      expectOrder(response, members, entityMembers);
    });

    it.each([
      [''],
      ['!@#'],
      ['with space'],
      ['ünïcode'],
      ['a/b'],
      ['user@example.com'],
      ['\0'],
      ['.'],
      ['..'],
      ['a\n'],
    ])('400 for the name %j', async (username) => {
      expectError(await post({ username, password: '1' }), agoraErrors.illegalName(username));
    });

    it('400 for a name of 65 characters', async () => {
      expectError(await post(aRegistration({ username: 'a'.repeat(65) })), agoraErrors.illegal('USERNAME_TOO_LONG'));
    });

    it('400 for a nickname of over 100 characters', async () => {
      expect((await post(aRegistration({ nickname: '🎉'.repeat(100) }))).status).toBe(200);
      expectError(await post(aRegistration({ nickname: 'n'.repeat(101) })), agoraErrors.illegal('NICKNAME_TOO_LONG'));
    });

    it('400 without a name', async () => {
      const missing = agoraErrors.illegal("Entity 'user' requires a property named username.");
      expectError(await post({ password: '1' }), missing);
      expectError(await post({ username: null, password: '1' }), missing);
      expectError(await post({}), missing);
      expectError(await post(''), missing);
    });

    it('400 for a name, password or nickname that is not text', async () => {
      for (const value of [0, 13800138000, true, ['a'], { $ne: 1 }]) {
        expectError(await post(aRegistration({ username: value })), agoraErrors.illegal('username must be a string'));
        expectError(await post(aRegistration({ password: value })), agoraErrors.illegal('password must be a string'));
        expectError(await post(aRegistration({ nickname: value })), agoraErrors.illegal('nickname must be a string'));
      }
      const digits = '{"username":1688888483063664642,"password":"1"}';
      expectError(await post(digits), agoraErrors.illegal('username must be a string'));
      expectError(await post(`[${digits}]`), agoraErrors.illegal('username must be a string'));
    });

    it('400 without a password', async () => {
      for (const password of [undefined, null, ''])
        expectError(await post(aRegistration({ password })), agoraErrors.illegal('password or pin must provided'));
    });

    it('400 for half of a surrogate pair in a password or nickname', async () => {
      const half = (member: string) => `{"username":"${aUsername()}","password":"p","${member}":"\\ud83c"}`;
      expect((await post(half('nickname'))).status).toBe(400);
      expect((await post(half('password').replace('"password":"p",', ''))).status).toBe(400);
    });

    it('400 for a name that is taken', async () => {
      const user = await running.register(aUsername());
      expectError(await post({ username: user.username, password: '1' }), agoraErrors.duplicate(user.username));
    });

    it('400 for the body of the seed as printed, with its trailing comma', async () => {
      expectError(await post('\n{\n"username": "user1",\n"password": "123",\n}'), agoraErrors.json);
    });

    it.each([['text'], [1], [null], ['[1]'], ['[[]]'], ['[null]']])('400 for the body %j', async (body) => {
      const text = typeof body === 'string' && body.startsWith('[') ? body : JSON.stringify(body);
      expectError(await post(text), agoraErrors.illegal(/./));
    });
  });

  describe('of several users', () => {
    const printed = (...names: string[]) => names.map((username) => ({ username, password: '123' }));

    it('200 with the examples of the seed: all are new, and all but one are', async () => {
      const [one, two, three] = [aUsername(), aUsername(), aUsername()] as const;
      const first = await post(printed(three));
      expect(first.body.data).toEqual([]);
      const response = await post(printed(one, two, three));
      expect(response.status).toBe(200);
      expectOrder(response, members, entityMembers);
      expect(response.body).toMatchObject({
        action: 'post',
        entities: [anEntity({ username: one }), anEntity({ username: two })],
        data: [{ username: three, registerUserFailReason: `the ${three} already exists` }],
      });
      expect(Object.keys(response.body.data[0])).toEqual(['username', 'registerUserFailReason']);
    });

    it('200 for sixty, in order, and the list keeps it', async () => {
      const batch = registrations(60).reverse();
      const response = await post(batch);
      const names = batch.map(({ username }) => username);
      expect(response.body.entities.map((user: { username: string }) => user.username)).toEqual(names);
      const listed: string[] = [];
      let cursor: string | undefined = '';
      while (cursor !== undefined) {
        const { body } = await running.call('get', `/users?limit=100&cursor=${cursor}`);
        listed.push(...body.entities.map((user: { username: string }) => user.username));
        cursor = body.cursor as string | undefined;
      }
      expect(listed.slice(-60)).toEqual(names);
    });

    it('200 once for a name repeated with the same password, in any case', async () => {
      const username = aUsername();
      const response = await post(printed(username, username.toUpperCase()));
      expect(response.body).toMatchObject({ entities: [{ username }], data: [] });
      expect(response.body.entities).toHaveLength(1);
    });

    it('200 and taken names are listed as the caller wrote them', async () => {
      const taken = aUsername();
      await running.register(taken);
      const { body } = await post(printed(taken.toUpperCase(), aUsername()));
      expect(body.data).toEqual([
        { username: taken.toUpperCase(), registerUserFailReason: `the ${taken.toUpperCase()} already exists` },
      ]);
    });

    it('400 for a name repeated with two passwords, without revealing them', async () => {
      const username = aUsername();
      const response = await post([
        { username, password: 'canary-one' },
        { username, password: 'canary-two' },
      ]);
      expectError(response, {
        status: 400,
        error: 'duplicate_unique_property_exists',
        description: `the same user ${username} has a different password`,
      });
      expect(response.text).not.toContain('canary');
      expect(await exists(username)).toBe(false);
    });

    it('400 when all are taken', async () => {
      const batch = registrations(2);
      await post(batch);
      expectError(await post(batch), agoraErrors.duplicate(String(batch[0]?.username)));
    });

    it.each<[string, object, string]>([
      ['an illegal name', { username: '!@#', password: '1' }, 'username [!@#] is not legal'],
      ['a missing password', { username: 'fine' }, 'password or pin must provided'],
      ['a missing name', { password: '1' }, "Entity 'user' requires a property named username."],
      ['a nickname too long', { username: 'fine', password: '1', nickname: 'n'.repeat(101) }, 'NICKNAME_TOO_LONG'],
    ])('400 and nobody is registered if one has %s', async (_what, wrong, description) => {
      const username = aUsername();
      expectError(await post([{ username, password: '1' }, wrong]), agoraErrors.illegal(description));
      expect(await exists(username)).toBe(false);
    });

    it('400 for sixty-one, and nobody is registered', async () => {
      const batch = registrations(61);
      expectError(
        await post(batch),
        agoraErrors.illegal(
          'Request body array size[61] had almost reached or been greater than the upper range value[60]',
        ),
      );
      expect(await exists(String(batch[0]?.username))).toBe(false);
    });

    it('400 for an empty list', async () => {
      expectError(await post([]), agoraErrors.illegal('the list must not be empty'));
    });

    it('400 for the body of the seed as printed, with its trailing commas', async () => {
      const body = '[{"username":"user1","password":"123",},{"username":"user2","password":"456",}]';
      expectError(await post(body), agoraErrors.json);
    });
  });

  describe('without a token', () => {
    const open = (body: unknown) => post(body, { token: null });

    it('401 when registration is closed, before the body is read', async () => {
      expectError(await open(aRegistration()), agoraErrors.closed);
      expectError(await open({ username: '!@#' }), agoraErrors.closed);
      expectError(await open('{'), agoraErrors.closed);
    });

    it('401 for a bad token', async () => {
      expectError(await post(aRegistration(), { token: 'garbage' }), agoraErrors.garbage);
    });

    it('200 for one user when registration is open, and 401 for several', async () => {
      await setting('open_registration', 'true');
      try {
        const username = aUsername();
        expect((await open({ username, password: '1', nickname: '' })).body.entities).toEqual([anEntity({ username })]);
        const listed = aUsername();
        expect((await open([{ username: listed, password: '1' }])).body.entities).toEqual([
          anEntity({ username: listed }),
        ]);
        expectError(await open([aRegistration(), aRegistration()]), agoraErrors.closed);
        expectError(await open(aRegistration({ password: '' })), agoraErrors.illegal('password or pin must provided'));
        // A token that is sent must be valid, even when none is required.
        expectError(await post(aRegistration(), { token: 'garbage' }), agoraErrors.garbage);
      } finally {
        await setting('open_registration', 'false');
      }
    });
  });

  it('200 without a password when the app allows it, but only with a token', async () => {
    await setting('password_optional', 'true');
    await setting('open_registration', 'true');
    try {
      const username = aUsername();
      expect((await post({ username })).body.entities).toEqual([anEntity({ username })]);
      expectError(
        await post({ username: aUsername() }, { token: null }),
        agoraErrors.illegal('password or pin must provided'),
      );
      // No password opens an account that has none.
      const login = { grant_type: 'password', username, password: '' };
      expect((await running.call('post', '/token', { body: login, token: null })).status).toBe(400);
      expectError(
        await running.call('post', '/token', { body: { ...login, password: 'x' }, token: null }),
        agoraErrors.grant('invalid password'),
      );
    } finally {
      await setting('password_optional', 'false');
      await setting('open_registration', 'false');
    }
  });
});
