import { aUsername } from '../../factories/user.factory.js';
import { agoraErrors, entityMembers, expectError, expectOrder } from '../../support/agora-answers.js';
import { type RunningApp, startApp } from '../../support/start-app.js';

const pushMembers = [
  ...['notification_display_style', 'notification_no_disturbing'],
  ...['notification_no_disturbing_start', 'notification_no_disturbing_end'],
];

describe('push settings', () => {
  let service: RunningApp;
  const put = (name: string, body: unknown) => service.call('put', `/users/${name}`, { body });
  const get = async (name: string) =>
    (await service.call('get', `/users/${name}`)).body.entities[0] as Record<string, any>;
  const aUser = async (more = {}) => (await service.register(aUsername(), more)).username as string;

  beforeAll(async () => {
    service = await startApp();
  });
  afterAll(() => service.stop());

  describe('PUT /users/{username}', () => {
    test('200 with settings alone, which are kept and shown after the nickname', async () => {
      const name = await aUser({ nickname: 'Ann' });
      const settings = {
        ...{ notification_no_disturbing_end: '7', notification_no_disturbing_start: 22 },
        ...{ notification_no_disturbing: 'true', notification_display_style: '1' },
      };
      const response = await put(name, settings);
      expect(response.status).toBe(200);
      expectOrder(
        response,
        [
          ...['action', 'application', 'path', 'uri', 'entities', 'timestamp', 'duration', 'organization'],
          'applicationName',
        ],
        [...entityMembers, 'nickname', ...pushMembers],
      );
      const shown = {
        ...{ nickname: 'Ann', notification_display_style: 1, notification_no_disturbing: true },
        ...{ notification_no_disturbing_start: 22, notification_no_disturbing_end: 7 },
      };
      expect(response.body.entities[0]).toMatchObject(shown);
      expect(await get(name)).toEqual(response.body.entities[0]);
      const listed = (await service.call('get', '/users?limit=100')).body.entities as { username: string }[];
      expect(listed.find(({ username }) => username === name)).toEqual(response.body.entities[0]);
    });

    test('200 and settings that are not named stay, whatever else changes', async () => {
      const name = await aUser();
      await put(name, { notification_no_disturbing: true, notification_display_style: 0 }).expect(200);
      await put(name, { nickname: 'Bob', notification_no_disturbing: false, notification_display_style: null }).expect(
        200,
      );
      await put(name, { nickname: 'Bo' }).expect(200);
      await service.call('post', `/users/${name}/deactivate`).expect(200);
      const user = await get(name);
      expect(user).toMatchObject({
        ...{ nickname: 'Bo', notification_display_style: 0, notification_no_disturbing: false, activated: false },
      });
      expect(user).not.toHaveProperty('notification_no_disturbing_start');
    });

    test('200 for two concurrent changes, both of which are kept', async () => {
      const name = await aUser();
      await Promise.all([
        put(name, { notification_display_style: 1 }),
        put(name, { notification_no_disturbing: true }),
      ]);
      expect(await get(name)).toMatchObject({ notification_display_style: 1, notification_no_disturbing: true });
    });

    test('200 without settings for a user who never set any, and for a new owner of the name', async () => {
      const name = await aUser();
      expect(Object.keys(await get(name))).toEqual(entityMembers);
      await put(name, { notification_display_style: 1 }).expect(200);
      await service.call('delete', `/users/${name}`).expect(200);
      await service.register(name);
      expect(Object.keys(await get(name))).toEqual(entityMembers);
    });

    test.each([
      [{ notification_display_style: 2 }, 'notification_display_style must be a whole number from 0 to 1'],
      [{ notification_display_style: true }, /^notification_display_style must be/],
      [{ notification_no_disturbing: 1 }, 'notification_no_disturbing must be true or false'],
      [
        { notification_no_disturbing_start: 25 },
        /^notification_no_disturbing_start must be a whole number from 0 to 24/,
      ],
      [{ notification_no_disturbing_end: '-1' }, /^notification_no_disturbing_end must be/],
      [{ notification_no_disturbing_end: '10:30' }, /^notification_no_disturbing_end must be/],
      [{ notification_ignored_users: ['a'] }, /there are no other settings of pushes$/],
      [{ notification_ignore_123: true }, /there are no other settings of pushes$/],
      [{ device_token: 'x', notifier_name: 'y' }, /there are no other settings of pushes$/],
      [{ nickname: null }, /^nickname is required, or one of/],
    ])('400 for %j', async (body, description) => {
      expectError(await put(await aUser(), body), agoraErrors.illegal(description));
    });

    test('404 when the user is unknown', async () => {
      expectError(await put(aUsername(), { notification_display_style: 1 }), agoraErrors.missingUser);
    });
  });

  describe('PUT /push/nickname', () => {
    const set = (body: unknown) => service.call('put', '/push/nickname', { body });

    test('200 with existing users in the order of the request, and unknown names as written', async () => {
      const [one, other] = [await aUser(), await aUser({ nickname: 'before' })];
      const response = await set([
        { username: other.toUpperCase(), push_nickname: 'Other' },
        { username: 'Nobody-So-Called', push_nickname: 'x' },
        { username: one, nickname: 'One' },
      ]);
      expect(response.status).toBe(200);
      expectOrder(response, [
        ...['path', 'uri', 'timestamp', 'organization', 'application', 'entities', 'action', 'data', 'duration'],
        'applicationName',
      ]);
      expect(response.body).toMatchObject({ path: '/push', uri: `${service.url}${service.path}/push`, action: 'put' });
      expect(response.body.entities).toEqual([
        { username: other, push_nickname: 'Other' },
        { username: one, push_nickname: 'One' },
      ]);
      expect(response.body.data).toEqual([
        { username: 'Nobody-So-Called', pushNicknameFailReason: "the Nobody-So-Called doesn't exist" },
      ]);
      expect([(await get(one))['nickname'], (await get(other))['nickname']]).toEqual(['One', 'Other']);
    });

    test('200 for 50; for a user named twice the last nickname wins, and an empty one removes it', async () => {
      const name = await aUser();
      const others = Array.from({ length: 48 }, (_none, index) => ({ username: `none-${index}`, push_nickname: 'x' }));
      const twice = [
        { username: name, push_nickname: 'first' },
        { username: name, push_nickname: 'last' },
      ];
      const { body } = await set([...others, ...twice]).expect(200);
      expect(body.entities).toEqual([{ username: name, push_nickname: 'last' }]);
      await set({ username: name, push_nickname: '' }).expect(200);
      expect(await get(name)).not.toHaveProperty('nickname');
    });

    test('400 for over 50, for none, for a nickname that is missing or too long, and no nickname changes', async () => {
      const name = await aUser({ nickname: 'stays' });
      const many = Array.from({ length: 51 }, () => ({ username: name, push_nickname: 'x' }));
      expectError(await set(many), agoraErrors.illegal('put user push nicknames exceeds the limit'));
      expectError(await set([]), agoraErrors.illegal('the list must not be empty'));
      expectError(await set([{ username: name }]), agoraErrors.illegal('push_nickname is required for each user'));
      expectError(await set([{ push_nickname: 'x' }]), agoraErrors.illegal(/requires a property named username/));
      const long = { username: name, push_nickname: 'n'.repeat(101) };
      expectError(await set([{ username: name, push_nickname: 'x' }, long]), agoraErrors.illegal('NICKNAME_TOO_LONG'));
      expect((await get(name))['nickname']).toBe('stays');
    });

    test('404 when none of them exists, 401 without a token', async () => {
      const body = [{ username: aUsername(), push_nickname: 'x' }];
      expectError(await set(body), agoraErrors.missingUser);
      expectError(await service.call('put', '/push/nickname', { body, token: null }), agoraErrors.noToken);
    });
  });
});
