import { aUsername } from '../../test/factories/user.factory.js';
import { type RunningApp, startApp } from '../../test/support/start-app.js';
import { PasswordHasher } from '../passwords/password-hasher.service.js';
import { UserSettingsService } from './user-settings.service.js';
import { UserWritesRepository } from './user-writes.repository.js';
import { UsersService } from './users.service.js';

describe('UsersService', () => {
  let running: RunningApp;
  let users: UsersService;
  let settings: UserSettingsService;
  let writes: UserWritesRepository;
  let appId: string;

  beforeAll(async () => {
    running = await startApp();
    users = running.nest.get(UsersService);
    settings = running.nest.get(UserSettingsService);
    writes = running.nest.get(UserWritesRepository);
    appId = running.app.id;
  });
  afterAll(() => running.stop());

  describe('a change based on a user read before the password was hashed', () => {
    /** Runs `during` while a password is being hashed. */
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

    it('keeps a nickname that was changed meanwhile', async () => {
      const user = await users.get(
        appId,
        (await running.register(aUsername(), { nickname: 'old' })).username as string,
      );
      const update = () => users.update(user, { nickname: undefined, password: 'another' });
      const updated = await meanwhile(update, () => settings.change(appId, user.username, { nickname: 'new' }));
      expect(updated.nickname).toBe('new');
      expect((await users.get(appId, user.username)).nickname).toBe('new');
    });

    it('does not change another user who has since taken the name', async () => {
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
        await expect(writes.delete(appId, user)).resolves.toBeNull();
        await expect(users.get(appId, username)).resolves.toMatchObject({ username });
      }
    });
  });
});
