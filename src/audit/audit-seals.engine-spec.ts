import { FixedClock } from '../../test/support/fixed-clock.js';
import { type RunningApp, startApp } from '../../test/support/start-app.js';
import { aUsername } from '../../test/factories/user.factory.js';
import { Database, type SqlValue } from '../database/database.js';
import { AuditEntriesRepository } from './audit-entries.repository.js';
import { AuditLog } from './audit-log.service.js';
import { AuditSealsRepository } from './audit-seals.repository.js';
import { AuditSeals } from './audit-seals.service.js';
import { AuditTrail } from './audit-trail.service.js';
import { localCaller } from './caller.js';
import { runInOperation } from './operation.js';
import { RetentionClock } from '../retention/retention-clock.js';

const dayMs = 24 * 3600 * 1000;

describe('The sealed audit trail', () => {
  let running: RunningApp;
  let clock: FixedClock;
  let appId: string;
  let seals: AuditSeals;

  beforeEach(async () => {
    clock = new FixedClock();
    running = await startApp({ clock });
    appId = running.app.id;
    seals = running.nest.get(AuditSeals);
  });
  afterEach(() => running.stop());

  const change = (sql: string, values: readonly SqlValue[] = []) =>
    running.nest.get(Database).write((transaction) => transaction.run(`${sql} app_id = ?`, [...values, appId]), appId);
  /** As many entries as asked for, a second apart, by one operator. */
  const record = async (count: number, target: string | null = 'ann') => {
    const trail = running.nest.get(AuditTrail);
    for (let done = 0; done < count; done += 1) {
      clock.advance(1_000);
      await runInOperation(trail.begin(localCaller('command_line', 'olga')), () =>
        trail.recordAlone(appId, [{ action: 'user.ban', target, reason: String(done) }]),
      );
    }
  };
  const sealAll = async () => {
    clock.advance(10 * 60_000);
    return seals.seal(appId);
  };
  /** Three seals of a few entries each. */
  const threeSeals = async () => {
    await record(3);
    await sealAll();
    await record(3);
    await sealAll();
    await record(3);
    await sealAll();
    expect((await seals.verify(appId)).broken).toEqual([]);
  };
  const numbersOfBroken = async () =>
    (await seals.verify(appId)).broken.map(({ number, problem }) => [number, problem]);

  it('has nothing to say against a chain that nobody has touched, and seals each entry once', async () => {
    await threeSeals();
    const { seals: compared, entries, last } = await seals.verify(appId);
    const [row] = await running.nest
      .get(Database)
      .read<{ count: number | string }>('SELECT COUNT(*) AS count FROM audit_entries WHERE app_id = ?', [appId]);
    expect([compared, entries, last?.number]).toEqual([3, Number(row?.count), 3]);
    expect(await seals.seal(appId)).toBe(0);
  });

  it('leaves what is younger than a minute, as its transaction may still be under way', async () => {
    await sealAll();
    await record(3);
    expect(await seals.seal(appId)).toBe(0);
    clock.advance(61_000);
    expect(await seals.seal(appId)).toBe(3);
  });

  it.each([
    ['an entry was changed', "UPDATE audit_entries SET reason = 'another' WHERE operation_id = ? AND"],
    ['entries were removed', 'DELETE FROM audit_entries WHERE operation_id = ? AND'],
    [
      'entries were added',
      'INSERT INTO audit_entries SELECT app_id, operation_id, seq + 1, at, actor, address, request_id, action, target,' +
        ' target_uuid, outcome, reason, old_values, new_values, changed FROM audit_entries WHERE operation_id = ? AND',
    ],
  ])('names the seal, and says that %s', async (problem, sql) => {
    await threeSeals();
    const found = await running.nest.get(AuditLog).list(appId, {}, 100, null);
    // Of the second seal: three are newer.
    await change(sql, [found.entries[4]?.operation_id as number]);
    expect(await numbersOfBroken()).toEqual([[2, expect.stringContaining(problem)]]);
  });

  it('names the seals around one that was removed, changed or made anew', async () => {
    await threeSeals();
    await change("UPDATE audit_seals SET entries = 2, entries_hash = 'x' WHERE number = 2 AND");
    expect(await numbersOfBroken()).toEqual([[2, 'the seal itself was changed']]);
    await change("UPDATE audit_seals SET hash = 'y' WHERE number = 2 AND");
    expect((await numbersOfBroken()).map(([number]) => number)).toEqual([2, 3]);
    await change('DELETE FROM audit_seals WHERE number = 2 AND');
    expect(await numbersOfBroken()).toEqual([[3, expect.stringContaining('missing')]]);
  });

  it('is sealed once when nodes seal at the same time', async () => {
    const database = running.nest.get(Database);
    const another = new AuditSeals(
      new AuditEntriesRepository(database),
      new AuditSealsRepository(database),
      running.nest.get(RetentionClock),
    );
    await record(10);
    clock.advance(10 * 60_000);
    await Promise.all([seals.seal(appId), another.seal(appId), seals.seal(appId), another.seal(appId)]);
    const { seals: compared, broken } = await seals.verify(appId);
    expect([compared, broken]).toEqual([1, []]);
  });

  it('can still be verified from the first seal that is kept when the older ones have gone', async () => {
    await threeSeals();
    clock.advance(10 * dayMs);
    await running.nest.get(RetentionClock).trust();
    await record(3);
    await sealAll();
    expect(await seals.prune(appId, 11)).toBe(0);
    expect(await seals.prune(appId, 9)).toBeGreaterThanOrEqual(9);
    const { seals: compared, entries, first, broken } = await seals.verify(appId);
    expect([compared, entries, first?.number, first?.pruned, broken]).toEqual([2, 3, 3, 1, []]);
    expect(await seals.prune(appId, 9)).toBe(0);
    const terms = await running.nest
      .get(Database)
      .read<{ term: string }>('SELECT term FROM audit_terms WHERE app_id = ?', [appId]);
    expect(terms).toHaveLength(3 * 3);
    await change('UPDATE audit_seals SET pruned = 1 WHERE number = 4 AND');
    expect((await numbersOfBroken()).map(([number]) => number)).toEqual([4]);
  });

  it('lists entries by each condition, sealed or not, page by page and each once', async () => {
    const [ann, bob] = [aUsername(), aUsername()];
    await record(7, ann);
    await sealAll();
    await record(5, bob);
    await sealAll();
    await record(4, ann);
    const log = running.nest.get(AuditLog);
    const all = async (filter: Parameters<AuditLog['list']>[1]) => {
      const found: string[] = [];
      for (let cursor: string | null | undefined; cursor !== null;) {
        const page = await log.list(appId, filter, 2, cursor ?? null);
        expect(page.complete).toBe(true);
        found.push(...page.entries.map(({ target, reason }) => `${target} ${reason}`));
        ({ cursor } = page);
      }
      return found;
    };
    const newest = (target: string, count: number) =>
      Array.from({ length: count }, (_one, index) => `${target} ${count - 1 - index}`);
    expect(await all({ target: ann })).toEqual([...newest(ann, 4), ...newest(ann, 7)]);
    expect(await all({ target: bob, action: 'user.ban' })).toEqual(newest(bob, 5));
    expect(await all({ target: bob, action: 'user.unban' })).toEqual([]);
    const whole = [...newest(ann, 4), ...newest(bob, 5), ...newest(ann, 7)];
    expect(await all({ actor: 'command_line:olga' })).toEqual(whole);
    expect(await all({ action: 'user.ban', actor: 'command_line:olga' })).toEqual(whole);
    const now = clock.now();
    expect(await all({ target: ann, fromMs: now - 3_000, toMs: now })).toEqual(newest(ann, 4).slice(1));
    expect((await all({})).slice(0, 16)).toEqual(whole);
  });

  it('looks at 5,000 entries for a page, says that there are more, and goes on there', async () => {
    const trail = running.nest.get(AuditTrail);
    const many = (target: string) =>
      trail.recordAlone(
        appId,
        Array.from({ length: 500 }, () => ({ action: 'user.ban' as const, target })),
      );
    await many('ann');
    for (let done = 0; done < 10; done += 1) {
      clock.advance(1);
      await many('bob');
    }
    const log = running.nest.get(AuditLog);
    const filter = { target: 'ann' };
    const first = await log.list(appId, filter, 10, null);
    expect([first.entries.length, first.scanned, first.complete]).toEqual([0, 5_000, false]);
    const second = await log.list(appId, filter, 10, first.cursor);
    expect(second.entries.map(({ target }) => target)).toEqual(Array(10).fill('ann'));
    await sealAll();
    const sealed = await log.list(appId, filter, 10, null);
    expect([sealed.entries.length, sealed.complete]).toEqual([10, true]);
    expect(sealed.scanned).toBeLessThan(20);
    expect((await seals.verify(appId)).broken).toEqual([]);
  });
});
