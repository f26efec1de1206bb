import { UsersService } from '../../../src/users/users.service.js';
import { aUsername, registrations } from '../../factories/user.factory.js';
import { agoraErrors, entityMembers, expectError, expectOrder } from '../../support/agora-answers.js';
import { rawCall } from '../../support/raw-call.js';
import { type RunningApp, startApp } from '../../support/start-app.js';

describe('deleting users', () => {
  let running: RunningApp;

  beforeAll(async () => {
    running = await startApp();
  });
  afterAll(() => running.stop());

  describe('DELETE /users/{username}', () => {
    const remove = (name: string) => running.call('delete', `/users/${name}`);

    it('200 with the example of the seed: the user as it was before', async () => {
      const user = await running.register(aUsername(), { nickname: 'user1' });
      const response = await remove(user.username);
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
        action: 'delete',
        application: running.app.id,
        path: '/users',
        uri: `${running.url}${running.path}/users`,
        entities: [user],
        timestamp: expect.any(Number),
        duration: expect.any(Number),
        organization: running.app.org,
        applicationName: running.app.name,
      });
      expectError(await running.call('get', `/users/${user.username}`), agoraErrors.missingUser);
      expectError(await running.call('get', `/users/${user.uuid}`), agoraErrors.missingUser);
    });

    it('200 and the name is free for another user at once', async () => {
      const user = await running.register(aUsername());
      await remove(user.username.toUpperCase());
      const next = await running.register(user.username);
      expect(next.uuid).not.toBe(user.uuid);
    });

    it('200 by uuid, under /app-id/{app_id}, with a body that is ignored', async () => {
      const user = await running.register(aUsername());
      const path = `/app-id/${running.app.appId}/users/${user.uuid}`;
      const answer = await rawCall(running.url, 'DELETE', path, { ...running, body: '{}' });
      expect(answer.body.entities).toEqual([user]);
    });

    it('200 exactly once for twenty simultaneous deletions of a user', async () => {
      const { username } = await running.register(aUsername());
      const statuses = (await Promise.all(Array.from({ length: 20 }, () => remove(username)))).map(
        ({ status }) => status,
      );
      expect(statuses.sort()).toEqual([200, ...Array<number>(19).fill(404)]);
    });

    it('404 when the user is unknown', async () => {
      expectError(await remove(aUsername()), agoraErrors.missingUser);
    });
  });

  describe('DELETE /users', () => {
    let names: string[];
    const remove = (query: string) => running.call('delete', `/users${query}`);
    const namesOf = (response: { body: any }): string[] =>
      response.body.entities.map((user: { username: string }) => user.username);
    const countUsers = () => running.nest.get(UsersService).count(running.app.id);

    beforeEach(async () => {
      while ((await remove('?limit=100')).body.entities.length > 0);
      const batch = registrations(25).reverse();
      names = batch.map(({ username }) => String(username));
      await running.call('post', '/users', { body: batch });
    });

    it('200 with the example of the seed: the oldest users, as they were before', async () => {
      const users = (await running.call('get', '/users?limit=2')).body.entities;
      const response = await remove('?limit=2');
      expect(response.status).toBe(200);
      expectOrder(
        response,
        [
          ...['action', 'application', 'params', 'path', 'uri', 'entities', 'timestamp', 'duration'],
          ...['organization', 'applicationName', 'cursor'],
        ],
        entityMembers,
      );
      expect(response.body).toEqual({
        action: 'delete',
        application: running.app.id,
        params: { limit: ['2'] },
        path: '/users',
        uri: `${running.url}${running.path}/users`,
        entities: users,
        timestamp: expect.any(Number),
        duration: expect.any(Number),
        organization: running.app.org,
        applicationName: running.app.name,
        cursor: expect.stringMatching(/^[\w-]+$/),
      });
      expect(namesOf(response)).toEqual(names.slice(0, 2));
      expect(await countUsers()).toBe(23);
    });

    it('200 with ten users without a limit', async () => {
      expect(namesOf(await remove(''))).toEqual(names.slice(0, 10));
    });

    it('200 continues at a cursor whose users are gone, and returns no cursor when all are', async () => {
      const first = await remove('?limit=10');
      const second = await remove(`?limit=10&cursor=${first.body.cursor}`);
      const third = await remove(`?limit=10&cursor=${second.body.cursor}`);
      expect([first, second, third].flatMap(namesOf)).toEqual(names);
      expect(third.body).not.toHaveProperty('cursor');
      expect(await countUsers()).toBe(0);
    });

    it('200 without a cursor when the last page was full', async () => {
      expect((await remove('?limit=25')).body).not.toHaveProperty('cursor');
      expect((await remove('?limit=25')).body).toMatchObject({ entities: [] });
    });

    it('200 spares the users before the cursor', async () => {
      const { cursor } = (await running.call('get', '/users?limit=20')).body;
      expect(namesOf(await remove(`?limit=100&cursor=${cursor}`))).toEqual(names.slice(20));
      expect(await countUsers()).toBe(20);
    });

    it.each([
      ['0', 1],
      ['-1', 1],
      ['101', 25],
    ])('200 with the limit %s clamped to its range', async (limit, count) => {
      expect((await remove(`?limit=${limit}`)).body.entities).toHaveLength(count);
    });

    it('400 for a limit that is not a number and for a foreign cursor, and nobody is deleted', async () => {
      expect((await remove('?limit=all')).status).toBe(400);
      expectError(await remove('?cursor=x'), agoraErrors.illegal('cursor is not one that this app gave out'));
      expect(await countUsers()).toBe(25);
    });

    it('200 for concurrent sweeps: each user is deleted by one of them, and no cursor means that nobody is left', async () => {
      const sweep = async (): Promise<string[]> => {
        const deletedNames: string[] = [];
        for (let cursor: string | undefined = ''; cursor !== undefined;) {
          const response = await remove(`?limit=3&cursor=${cursor}`);
          expect(response.status).toBe(200);
          deletedNames.push(...namesOf(response));
          cursor = response.body.cursor as string | undefined;
        }
        expect(await countUsers()).toBe(0);
        return deletedNames;
      };
      const deletedNames = (await Promise.all(Array.from({ length: 6 }, sweep))).flat();
      expect(deletedNames.sort()).toEqual([...names].sort());
    });
  });
});
