import { randomBytes, randomUUID } from 'node:crypto';
import { aUsername } from '../../test/factories/user.factory.js';
import { FixedClock } from '../../test/support/fixed-clock.js';
import { type RunningApp, startApp } from '../../test/support/start-app.js';
import { fingerprintOf } from '../apps/app-secrets.js';
import { AppsService } from '../apps/apps.service.js';
import { Database } from '../database/database.js';
import { MessagesService } from '../messages/messages.service.js';
import { banForever } from '../users/ban-terms.js';
import { UserChangesService } from '../users/user-changes.service.js';
import { UserRevocationsService } from '../users/user-revocations.service.js';
import { UserSettingsService } from '../users/user-settings.service.js';
import { UserWritesRepository } from '../users/user-writes.repository.js';
import { UsersService } from '../users/users.service.js';
import { LocalSessions } from './local-sessions.js';
import { aSession } from './presence.store.contract.js';
import { sweepEveryMs, UserSweep } from './user-sweep.js';

const { jest } = import.meta;
const manySessions = 10_000;
const roundMs = 600_000;
const minuteMs = 60_000;

const testOrigin = { by: 'test', source: 'agora' } as const;
describe('UserSweep', () => {
  let running: RunningApp;
  let users: UsersService;
  let revocations: UserRevocationsService;
  let database: Database;
  let appId: string;
  let clock: FixedClock;
  let local: LocalSessions;
  let sweep: UserSweep;
  /** What the sweep came to, as `username verdict`. */
  let verdicts: string[];

  beforeAll(async () => {
    running = await startApp();
    users = running.nest.get(UsersService);
    revocations = running.nest.get(UserRevocationsService);
    database = running.nest.get(Database);
    appId = running.app.id;
  });
  afterAll(() => running.stop());
  beforeEach(() => {
    clock = new FixedClock();
    local = new LocalSessions();
    verdicts = [];
    sweep = new UserSweep(local, users, running.nest.get(AppsService), new UserChangesService(database, clock), clock, {
      judge: ({ session }, user) => {
        const verdict = user === null ? 'gone' : !user.activated ? 'banned' : user.tokenEpoch > 0 ? 'ended' : null;
        if (verdict !== null) verdicts.push(`${session.username} ${verdict}`);
      },
      endAll: (sessions, reason) =>
        verdicts.push(...sessions.map(({ session }) => `${session.username} app ${reason}`)),
    });
  });
  afterEach(() => jest.restoreAllMocks());

  /** What the database is asked for, and how many rows it answers. */
  const count = (): { statements: number; rows: number } => {
    const counted = { statements: 0, rows: 0 };
    const read = database.read.bind(database);
    jest.spyOn(database, 'read').mockImplementation(async (sql, values) => {
      const rows = await read<never>(sql, values);
      counted.statements += 1;
      counted.rows += rows.length;
      return rows;
    });
    return counted;
  };
  const run = async (): Promise<void> => {
    clock.advance(sweepEveryMs);
    await sweep.run(0);
  };
  const open = async (username = aUsername()): Promise<string> => {
    const { uuid } = await users.getOrRegister(running.app, username);
    hold(username, uuid);
    return username;
  };
  const hold = (
    username: string,
    userUuid: string,
    letInBy = fingerprintOf(running.app.certificates[0] as string),
    app = running.app,
  ): void =>
    local.add({
      app,
      session: aSession({ appId: app.id, username, userUuid }),
      connection: {
        kick: () => undefined,
        wake: () => undefined,
        presenceChanged: () => undefined,
        catchUp: (lastSeq) => {
          if (lastSeq !== null) verdicts.push(`${username} has ${lastSeq}`);
        },
      },
      state: 'open',
      announced: true,
      lookedAt: clock.monotonic(),
      issued: { by: 'rollcall', epoch: 0 },
      letInBy,
      expiresAtSeconds: Number.MAX_SAFE_INTEGER,
    });

  it(
    `${manySessions} idle sessions cost next to nothing, and each is looked at once in ten minutes all the same`,
    async () => {
      const repository = running.nest.get(UserWritesRepository);
      for (let start = 0; start < manySessions; start += 500) {
        const some = Array.from({ length: 500 }, () => ({ username: aUsername(), nickname: null, passwordHash: null }));
        for (const user of await repository.insert(appId, some)) hold(user?.username ?? '', user?.uuid ?? '');
      }
      await run();
      const idle = count();
      for (let runs = 0; runs < 10; runs += 1) await run();
      // One asks for changes, one for the app; where the app is remembered, there is none.
      expect(idle.statements).toBeLessThanOrEqual(20);
      expect(idle.rows).toBeLessThanOrEqual(10);

      for (let ms = sweepEveryMs * 11; ms < roundMs; ms += sweepEveryMs) await run();
      const before = idle.rows;
      const maxRead = Math.ceil(manySessions / (roundMs / 2 / sweepEveryMs));
      for (let ms = 0; ms < roundMs; ms += sweepEveryMs) {
        const rows = idle.rows;
        await run();
        expect(idle.rows - rows).toBeLessThanOrEqual(maxRead + 2);
      }
      expect(idle.rows - before).toBeGreaterThanOrEqual(manySessions);
      expect(idle.rows - before).toBeLessThanOrEqual(manySessions + 240);
      expect(verdicts).toEqual([]);
    },
    2 * minuteMs,
  );

  it('finds with its next run whatever ends a session or brings it a message, and reads no other user', async () => {
    const names = [];
    for (let index = 0; index < 8; index += 1) names.push(await open());
    const [banned, deleted, changed, revoked, forced, written, renamed] = names as [string, ...string[]];
    await run();
    verdicts.length = 0;
    await revocations.ban(appId, banned, banForever, testOrigin);
    await users.delete(appId, deleted as string);
    await users.changePassword(appId, changed as string, 'another');
    await revocations.revokeTokens(appId, revoked as string);
    await revocations.forceOffline(appId, forced as string);
    await running.nest
      .get(MessagesService)
      .send(running.app, { from: 'admin', to: [written as string], type: 'txt', body: { msg: 'x' }, ext: undefined });
    await running.nest.get(UserSettingsService).change(appId, renamed as string, { nickname: 'Ann' });
    const counted = count();
    await run();
    expect(verdicts.sort()).toEqual(
      [
        `${banned} banned`,
        `${deleted} gone`,
        `${changed} ended`,
        `${revoked} ended`,
        `${forced} ended`,
        `${written} has 1`,
      ].sort(),
    );
    // The changes, their six texts, the app, and four users that are still there.
    expect(counted.rows).toBeLessThanOrEqual(6 + 6 + 1 + 4 + 10);
    verdicts.length = 0;
    await run();
    expect(verdicts).toEqual([]);
  });

  it('finds with its next run what hangs on a secret that the app has no more, and reads nothing for it', async () => {
    const apps = running.nest.get(AppsService);
    const app = await apps.create({ org: 'sweep', name: `app${randomBytes(4).toString('hex')}` });
    const withApp = (username: string, secret: string): void =>
      hold(username, randomUUID(), fingerprintOf(secret), app);
    const [first] = app.certificates as [string];
    const [second] = (await apps.rotate(app)).certificates as [string];
    const all = ['by the first', 'by the second', 'by a user token', 'by nothing of ours'];
    [first, second, app.tokenSecret, 'foreign'].forEach((secret, index) => withApp(all[index] as string, secret));
    const asked = jest.spyOn(users, 'findAllByUuid');
    await run();
    expect(verdicts).toEqual(['by nothing of ours app token_revoked']);
    for (const [key, value, ended] of [
      ['previous_certificate', 'none', 'by the first app token_revoked'],
      ['token_secret', 'new', 'by a user token app token_revoked'],
      ['disabled', 'true', 'by the second app forced_offline'],
    ] as const) {
      verdicts.length = 0;
      await apps.set(app, key, value);
      await run();
      expect(verdicts).toContain(ended);
      expect(verdicts.some((verdict) => verdict.startsWith('by the second'))).toBe(key === 'disabled');
    }
    expect(asked).not.toHaveBeenCalled();
  });

  it('finds a change that was made long before it was committed', async () => {
    const username = await open();
    const { uuid } = await users.get(appId, username);
    const changes = running.nest.get(UserChangesService);
    let commit: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (commit = resolve));
    const written = database.write(async (transaction) => {
      await changes.add(transaction, appId, new Map([[uuid, 7]]));
      await gate;
    });
    await run();
    await run();
    expect(verdicts).toEqual([]);
    commit();
    await written;
    await run();
    expect(verdicts).toEqual([`${username} has 7`]);
  });

  it('looks again at what it could not read, and at everything when it has not read for too long', async () => {
    const [first, second] = [await open(), await open()];
    await run();
    await revocations.ban(appId, first, banForever, testOrigin);
    jest.spyOn(users, 'findAllByUuid').mockRejectedValueOnce(new Error('away'));
    await expect(run()).rejects.toThrow('away');
    await run();
    expect(verdicts).toEqual([`${first} banned`]);

    // As a process that stood still: the change was cleared away meanwhile.
    await revocations.ban(appId, second, banForever, testOrigin);
    const changes = running.nest.get(UserChangesService);
    await changes.clear(appId, await changes.listIds(appId));
    await run();
    expect(verdicts).toEqual([`${first} banned`]);
    clock.advance(minuteMs);
    await run();
    expect(verdicts).toEqual([`${first} banned`, `${first} banned`, `${second} banned`]);
  });

  it('changes are cleared away by who wrote them after a minute, and by a reader when that one is gone', async () => {
    await open();
    const changes = new UserChangesService(database, clock);
    const add = () => database.write((transaction) => changes.add(transaction, appId, new Map([['nobody', null]])));
    await changes.clear(appId, await changes.listIds(appId));
    await add();
    clock.advance(minuteMs - 1);
    await add();
    await changes.clearDue();
    expect(await changes.listIds(appId)).toHaveLength(2);
    clock.advance(1);
    await changes.clearDue();
    expect(await changes.listIds(appId)).toHaveLength(1);
    for (let ms = 0; ms <= 2 * minuteMs; ms += sweepEveryMs) await run();
    expect(await changes.listIds(appId)).toHaveLength(1);
    await run();
    expect(await changes.listIds(appId)).toHaveLength(0);
  });
});
