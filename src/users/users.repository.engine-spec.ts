import { aUsername } from '../../test/factories/user.factory.js';
import { type RunningApp, startApp } from '../../test/support/start-app.js';
import { Clock } from '../clock/clock.js';
import { Database } from '../database/database.js';
import { AuditTrail } from '../audit/audit-trail.service.js';
import { TimeBasedUuids } from '../ids/time-based-uuids.js';
import { TimeOrderedIds } from '../ids/time-ordered-ids.js';
import { BanEdgesRepository } from './ban-edges.repository.js';
import { BanHistoryRepository } from './ban-history.repository.js';
import { ReleasedNamesRepository } from './released-names.repository.js';
import { RemovalsService } from '../removals/removals.service.js';
import { UserChangesService } from './user-changes.service.js';
import type { User } from './user.js';
import { UserEvents } from './user-events.js';
import { UserWritesRepository } from './user-writes.repository.js';
import { UsersRepository } from './users.repository.js';

/** The ids of a node whose clock is ahead or behind. */
class GivenIds extends TimeOrderedIds {
  constructor(
    clock: Clock,
    private readonly drawn: number[],
  ) {
    super(clock);
  }

  override next(): number {
    return this.drawn.shift() as number;
  }
}

describe('UsersRepository and UserWritesRepository', () => {
  let running: RunningApp;
  let appId: string;

  beforeAll(async () => {
    running = await startApp();
    appId = running.app.id;
  });
  afterAll(() => running.stop());

  const repositoryWith = (ids: number[]) =>
    new UserWritesRepository(
      running.nest.get(Database),
      running.nest.get(Clock),
      new GivenIds(running.nest.get(Clock), ids),
      running.nest.get(TimeBasedUuids),
      running.nest.get(UsersRepository),
      new BanHistoryRepository(
        running.nest.get(Database),
        new GivenIds(running.nest.get(Clock), ids),
        running.nest.get(BanEdgesRepository),
        running.nest.get(RemovalsService),
      ),
      running.nest.get(UserEvents),
      running.nest.get(UserChangesService),
      running.nest.get(ReleasedNamesRepository),
      running.nest.get(RemovalsService),
      running.nest.get(AuditTrail),
    );
  const aUser = (username = aUsername()) => ({ username, nickname: null, passwordHash: null });

  it('keeps the bans of a user in order, also when a node whose clock is ahead wrote the previous one', async () => {
    const id = running.nest.get(TimeOrderedIds).next();
    const [user] = await repositoryWith([id]).insert(appId, [aUser()]);
    const ban = (ids: number[], reason: string) =>
      repositoryWith(ids).change(appId, user as User, () => ({
        action: 'user.ban',
        user: { ban: { startsAt: null, endsAt: null } },
        banChange: { kind: 'ban', reason, note: null, by: 'test', source: 'agora' },
      }));
    await ban([id + 100], 'first');
    await ban([id + 100], 'the same id');
    await ban([id], 'an earlier id');
    const history = await running.nest
      .get(Database)
      .read('SELECT reason, outcome FROM bans WHERE app_id = ? AND user_uuid = ? ORDER BY id', [
        appId,
        user?.uuid ?? '',
      ]);
    expect(history).toEqual([
      { reason: 'first', outcome: 'superseded' },
      { reason: 'the same id', outcome: 'superseded' },
      { reason: 'an earlier id', outcome: null },
    ]);
  });

  it('inserts all users of one call in one transaction, and reports the taken names', async () => {
    const repository = running.nest.get(UserWritesRepository);
    const [taken] = await repository.insert(appId, [aUser()]);
    const names = Array.from({ length: 60 }, () => aUsername());
    const results = await Promise.all([
      repository.insert(appId, [...names.map(aUser), aUser(taken?.username)]),
      repository.insert(appId, names.map(aUser)),
    ]);
    expect(results[0].map((user) => user === null)).toEqual([...names.map(() => false), true]);
    expect(results[1].every((user) => user === null)).toBe(true);
  });

  it('answers each of many concurrent look-ups with its own user, or null', async () => {
    const repository = running.nest.get(UsersRepository);
    const users = await running.nest.get(UserWritesRepository).insert(
      appId,
      Array.from({ length: 50 }, () => aUser()),
    );
    const found = await Promise.all(
      users.flatMap((user) => [
        repository.find(appId, user?.username ?? ''),
        repository.findByUuid(appId, user?.uuid ?? ''),
        repository.find(appId, aUsername()),
        repository.find('another app', user?.username ?? ''),
      ]),
    );
    expect(found).toEqual(users.flatMap((user) => [user, user, null, null]));
  });
});
