import { Database } from '../../../src/database/database.js';
import { captureLog, releaseLog } from '../../../src/logging/captured-log.fixture.js';
import { UserEvents } from '../../../src/users/user-events.js';
import { aUsername } from '../../factories/user.factory.js';
import { agoraErrors, anEntity, entityMembers, expectError, expectOrder } from '../../support/agora-answers.js';
import { rawCall } from '../../support/raw-call.js';
import { type RunningApp, startApp } from '../../support/start-app.js';

const byApp = { banned_by: 'app token', source: 'agora' };
const inForce = { outcome: null, lifted_by: null, lift_reason: null };

describe('banning', () => {
  let running: RunningApp;

  beforeAll(async () => {
    running = await startApp();
  });
  afterAll(() => running.stop());

  const ban = (name: string, body?: unknown) => running.call('post', `/users/${name}/deactivate`, { body });
  const unban = (name: string, body?: unknown) => running.call('post', `/users/${name}/activate`, { body });
  const login = (username: string) =>
    running.call('post', '/token', { body: { grant_type: 'password', username, password: 'secret' }, token: null });
  const history = (uuid: string) =>
    running.nest
      .get(Database)
      .read<Record<string, unknown>>(
        'SELECT banned_by, source, reason, outcome, lifted_by, lift_reason FROM bans WHERE app_id = ? AND user_uuid = ? ORDER BY id',
        [running.app.id, uuid],
      );

  describe('POST /users/{username}/deactivate', () => {
    it.each<Record<string, string>>([{}, { 'idempotency-key': aUsername() }])(
      '200 and everyone is told, also when one who is told fails (%j)',
      async (headers) => {
        const { username } = await running.register(aUsername());
        const events = running.nest.get(UserEvents);
        const told: string[] = [];
        const logged = captureLog();
        try {
          for (const listener of ['throws', 'rejects', 'hears'])
            events.subscribe(({ type, user }) => {
              if (user.username !== username) return undefined;
              told.push(`${listener} ${type}`);
              if (listener === 'throws') throw new Error('one who is told throws');
              return listener === 'rejects' ? Promise.reject(new Error('one who is told rejects')) : undefined;
            });
          const response = await running.call('post', `/users/${username}/deactivate`, { headers });
          expect({ status: response.status, activated: response.body.entities?.[0].activated }).toEqual({
            status: 200,
            activated: false,
          });
          expect(told).toEqual(['throws banned', 'rejects banned', 'hears banned']);
          for (const how of ['throws', 'rejects'])
            expect(logged).toContainEqual(expect.stringContaining(`one who is told ${how}`));
        } finally {
          releaseLog();
        }
      },
    );

    it('200 with the example of the seed', async () => {
      const user = await running.register(aUsername(), { nickname: 'user' });
      const response = await ban(user.username);
      expect(response.status).toBe(200);
      expectOrder(response, ['action', 'entities', 'timestamp', 'duration'], [...entityMembers, 'nickname']);
      expect(response.body).toEqual({
        action: 'Deactivate user',
        entities: [anEntity({ ...user, activated: false, modified: expect.any(Number) })],
        timestamp: expect.any(Number),
        duration: expect.any(Number),
      });
      expect(response.body.entities[0].modified).toBeGreaterThanOrEqual(user.modified);
      expectError(await login(user.username), agoraErrors.grant('user not activated'));
    });

    it('200 without a body and without a Content-Length', async () => {
      const { username } = await running.register(aUsername());
      const path = `${running.path}/users/${username}/deactivate`;
      expect((await rawCall(running.url, 'POST', path, running)).body.action).toBe('Deactivate user');
    });

    it('200 again, and nothing changes', async () => {
      const { uuid } = await running.register(aUsername());
      const first = (await ban(uuid)).body.entities;
      expect((await ban(uuid)).body.entities).toEqual(first);
      expect(await history(uuid)).toHaveLength(1);
    });

    it('200 under /app-id/{app_id}, in any case', async () => {
      const { username } = await running.register(aUsername());
      const path = `//app-id/${running.app.appId}/users/${username.toUpperCase()}/deactivate`;
      expect((await running.call('post', path)).body.entities[0].activated).toBe(false);
    });

    it('200 keeps who banned and why, and forgets it with the user', async () => {
      const { uuid, username } = await running.register(aUsername());
      await ban(username, { reason: 'spam' });
      await unban(username, { reason: 'sorry' });
      await ban(username);
      expect(await history(uuid)).toEqual([
        { ...byApp, reason: 'spam', outcome: 'lifted', lifted_by: 'app token', lift_reason: 'sorry' },
        { ...byApp, reason: null, ...inForce },
      ]);
      await running.call('delete', `/users/${username}`);
      expect(await history(uuid)).toEqual([]);
    });

    it.each(['[]', '""', 'null', '{}', ' \r\n\t', '', '{"reason":null}'])(
      '200 with the body %j, which says nothing',
      async (body) => {
        const { uuid, username } = await running.register(aUsername());
        for (const [step, ending] of [
          ['deactivate', inForce],
          ['activate', { outcome: 'lifted', lifted_by: 'app token', lift_reason: null }],
        ] as const) {
          const response = await running.call('post', `/users/${username}/${step}`, { body });
          expect(response.status).toBe(200);
          expect((await history(uuid)).at(-1)).toEqual({ ...byApp, reason: null, ...ending });
        }
      },
    );

    it.each(['[1]', '[[]]', '[{}]', '"spam"', '0', '1.0', 'false', '{', '\ufeff', '\ufeff{}'])(
      '400 with the body %j, and the user is not banned',
      async (body) => {
        const { username } = await running.register(aUsername());
        expect((await ban(username, body)).status).toBe(400);
        expect((await running.call('get', `/users/${username}`)).body.entities[0].activated).toBe(true);
      },
    );

    it('400 for a reason that is no text or longer than 1,000 characters', async () => {
      const { username } = await running.register(aUsername());
      expectError(await ban(username, { reason: 1 }), agoraErrors.illegal('reason must be a string'));
      expect((await ban(username, { reason: '🎉'.repeat(1000) })).status).toBe(200);
      const tooLong = agoraErrors.illegal('reason must have at most 1000 characters');
      expectError(await ban(username, { reason: 'r'.repeat(1001) }), tooLong);
      expectError(await unban(username, { reason: 'r'.repeat(1001) }), tooLong);
    });

    it('404 when the user is unknown', async () => {
      expectError(await ban(aUsername()), agoraErrors.missingUser);
    });
  });

  describe('POST /users/{username}/activate', () => {
    it('200 with the example of the seed, and the user logs in again', async () => {
      const { username } = await running.register(aUsername());
      await ban(username);
      const response = await unban(username);
      expect(response.status).toBe(200);
      expectOrder(response, ['action', 'timestamp', 'duration']);
      expect(response.body).toEqual({
        action: 'activate user',
        timestamp: expect.any(Number),
        duration: expect.any(Number),
      });
      expect((await login(username)).status).toBe(200);
    });

    it('200 for a user who is not banned, and nothing changes', async () => {
      const user = await running.register(aUsername());
      expect((await unban(user.username)).status).toBe(200);
      expect((await running.call('get', `/users/${user.username}`)).body.entities).toEqual([user]);
      expect(await history(user.uuid)).toEqual([]);
    });

    it('404 when the user is unknown', async () => {
      expectError(await unban(aUsername()), agoraErrors.missingUser);
    });
  });
});
