import { registrations } from '../../test/factories/user.factory.js';
import { type RunningApp, startApp } from '../../test/support/start-app.js';
import { Database } from '../database/database.js';
import { TimeOrderedIds } from '../ids/time-ordered-ids.js';
import type { User } from './user.js';
import { UserRevocationsService } from './user-revocations.service.js';
import { UserWritesRepository } from './user-writes.repository.js';
import { UsersService } from './users.service.js';

const testOrigin = { by: 'test', source: 'agora' } as const;
describe('UserRevocationsService', () => {
  let running: RunningApp;
  let users: UsersService;
  let revocations: UserRevocationsService;
  let writes: UserWritesRepository;
  let appId: string;

  beforeAll(async () => {
    running = await startApp();
    users = running.nest.get(UsersService);
    revocations = running.nest.get(UserRevocationsService);
    writes = running.nest.get(UserWritesRepository);
    appId = running.app.id;
  });
  afterAll(() => running.stop());

  const register = async (count: number): Promise<User[]> => {
    const rows = registrations(count).map(({ username }) => ({
      username: username as string,
      nickname: null,
      passwordHash: null,
    }));
    const made = await writes.insert(appId, rows);
    return made.filter((user) => user !== null);
  };
  const banned = async (some: readonly User[]) => {
    const found = await users.findAllByUuid(
      appId,
      some.map(({ uuid }) => uuid),
    );
    return [...found.values()].filter((user) => !user.activated).length;
  };

  describe('a ban of many users', () => {
    it('bans all users or none, also when more changes are waiting than one run takes', async () => {
      const [first, ...rest] = (await register(601)) as [User, ...User[]];
      const [others, banning] = [rest.slice(0, 400), rest.slice(400)];
      const names = banning.map(({ username }) => username);
      const open = Promise.withResolvers<void>();
      const rename = () => ({ action: 'user.change_nickname' as const, user: { nickname: 'n' } });
      const underWay = writes.change(appId, first, rename, () => open.promise);
      await new Promise(setImmediate);
      const renamed = others.map((user) => writes.change(appId, user, rename));
      const ids = running.nest.get(TimeOrderedIds);
      let drawn = 0;
      ids.next = () => {
        if ((drawn += 1) > 150) throw new Error('no more');
        return TimeOrderedIds.prototype.next.call(ids);
      };
      try {
        const ban = revocations.banAll(appId, names, testOrigin);
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
      await revocations.banAll(appId, names, testOrigin);
      expect(await banned(banning)).toBe(200);
    });

    it('takes a few statements inside a unit of work too', async () => {
      const made = await register(300);
      const database = running.nest.get(Database);
      const { read, write } = database;
      let calls = 0;
      database.read = (...args) => ((calls += 1), read.apply(database, args)) as never;
      database.write = (work) => ((calls += 1), write.call(database, work)) as never;
      try {
        await database.runInUnitOfWork(
          () =>
            revocations.banAll(
              appId,
              made.map(({ username }) => username),
              testOrigin,
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
});
