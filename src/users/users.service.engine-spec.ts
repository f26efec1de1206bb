import { aUsername, registrations } from '../../test/factories/user.factory.js';
import { type RunningApp, startApp } from '../../test/support/start-app.js';
import { PasswordHasher } from '../passwords/password-hasher.service.js';
import { Database } from '../database/database.js';
import { TimeOrderedIds } from '../ids/time-ordered-ids.js';
import type { User } from './user.js';
import { UsersRepository } from './users.repository.js';
import { UsersService } from './users.service.js';

describe('UsersService', () => {
  let running: RunningApp;
  let users: UsersService;
  let repository: UsersRepository;
  let appId: string;

  beforeAll(async () => {
    running = await startApp();
    users = running.nest.get(UsersService);
    repository = running.nest.get(UsersRepository);
    appId = running.app.id;
  });
  afterAll(() => running.stop());

  const register = async (count: number): Promise<User[]> => {
    const rows = registrations(count).map(({ username }) => ({
      username: username as string,
      nickname: null,
      passwordHash: null,
    }));
    const made = await repository.insert(appId, rows);
    return made.filter((user) => user !== null);
  };
  const banned = async (some: readonly User[]) => {
    const found = await users.findAllByUuid(
      appId,
      some.map(({ uuid }) => uuid),
    );
    return [...found.values()].filter((user) => !user.activated).length;
  };

  describe('a ban of many', () => {
    it('bans all or nobody, also where so much waits that one run cannot take it all', async () => {
      const [first, ...rest] = (await register(601)) as [User, ...User[]];
      const [others, banning] = [rest.slice(0, 400), rest.slice(400)];
      const names = banning.map(({ username }) => username);
      const open = Promise.withResolvers<void>();
      const rename = () => ({ user: { nickname: 'n' } });
      const underWay = repository.change(appId, first, rename, () => open.promise);
      await new Promise(setImmediate);
      const renamed = others.map((user) => repository.change(appId, user, rename));
      const ids = running.nest.get(TimeOrderedIds);
      let drawn = 0;
      ids.next = () => {
        if ((drawn += 1) > 150) throw new Error('no more');
        return TimeOrderedIds.prototype.next.call(ids);
      };
      try {
        const ban = users.banAll(appId, names, 'test');
        ban.catch(() => undefined);
        await users.findAll(appId, names);
        await new Promise(setImmediate);
        open.resolve();
        await expect(ban).rejects.toThrow('no more');
        await Promise.all([underWay, ...renamed]);
      } finally {
        ids.next = TimeOrderedIds.prototype.next;
      }
      expect(await banned(banning)).toBe(0);
      await users.banAll(appId, names, 'test');
      expect(await banned(banning)).toBe(200);
    });

    it('is a few statements inside a unit of work as well', async () => {
      const made = await register(300);
      const database = running.nest.get(Database);
      const { read, write } = database;
      let calls = 0;
      database.read = (...args) => ((calls += 1), read.apply(database, args)) as never;
      database.write = (work) => ((calls += 1), write.call(database, work)) as never;
      try {
        await database.runInUnitOfWork(
          () =>
            users.banAll(
              appId,
              made.map(({ username }) => username),
              'test',
            ),
          async () => undefined,
        );
      } finally {
        Object.assign(database, { read, write });
      }
      expect(calls).toBeLessThan(5);
      expect(await banned(made)).toBe(300);
    });
  });

  describe('what is decided by a user that was read before a password is hashed', () => {
    /** Does something in the time that the hashing of a password takes. */
    const meanwhile = async <Result>(work: () => Promise<Result>, during: () => Promise<unknown>) => {
      const hasher = running.nest.get(PasswordHasher);
      const { hash, verify } = hasher;
      let done: Promise<unknown> | undefined;
      hasher.hash = async (...args) => {
        await (done ??= during());
        return hash.apply(hasher, args);
      };
      hasher.verify = async (...args) => {
        await (done ??= during());
        return verify.apply(hasher, args);
      };
      try {
        return await work();
      } finally {
        Object.assign(hasher, { hash, verify });
      }
    };

    it('leaves a nickname alone that was changed meanwhile', async () => {
      const user = await users.get(
        appId,
        (await running.register(aUsername(), { nickname: 'old' })).username as string,
      );
      const update = () => users.update(user, { nickname: undefined, password: 'another' });
      const updated = await meanwhile(update, () => users.changeNickname(appId, user.username, 'new'));
      expect(updated.nickname).toBe('new');
      expect((await users.get(appId, user.username)).nickname).toBe('new');
    });

    it('changes nobody else who has the name by then', async () => {
      for (const how of ['name', 'uuid'] as const) {
        const username = aUsername();
        await running.register(username);
        const user = await users.get(appId, username);
        const change = meanwhile(
          () => users.changePassword(appId, how === 'name' ? username : user.uuid, 'another'),
          async () => {
            await users.delete(appId, username);
            await running.register(username);
          },
        );
        await expect(change).rejects.toMatchObject({ code: 'user_not_found' });
        await expect(users.authenticate(appId, username, 'secret')).resolves.toMatchObject({ username });
        await expect(repository.delete(appId, user)).resolves.toBeNull();
        await expect(users.get(appId, username)).resolves.toMatchObject({ username });
      }
    });
  });
});
