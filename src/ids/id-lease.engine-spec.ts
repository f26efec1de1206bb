import { FixedClock } from '../../test/support/fixed-clock.js';
import { type RunningApp, startApp } from '../../test/support/start-app.js';
import { Database } from '../database/database.js';
import { IdLease } from './id-lease.js';
import { nodeNumbers, TimeOrderedIds } from './time-ordered-ids.js';

describe('IdLease', () => {
  let running: RunningApp;
  let database: Database;
  const leases: IdLease[] = [];

  beforeAll(async () => {
    running = await startApp();
    database = running.nest.get(Database);
  });
  beforeEach(() => database.write((transaction) => transaction.run('DELETE FROM id_nodes')));
  afterEach(() => leases.splice(0).forEach((lease) => lease.stop()));
  afterAll(() => running.stop());

  /** Processes that share a database, each with its own clock. */
  const aNode = (clock: FixedClock) => {
    const ids = new TimeOrderedIds(clock);
    const lease = new IdLease(database, clock, ids);
    leases.push(lease);
    return { clock, ids, lease };
  };
  const draw = ({ ids }: { ids: TimeOrderedIds }, count: number) => Array.from({ length: count }, () => ids.next());
  const refusal = expect.objectContaining({ code: 'database_unavailable', retryAfterMs: 1000 }) as Error;

  it('gives nodes that start simultaneously different numbers, so that they draw no id twice at the same time', async () => {
    const clock = new FixedClock();
    const nodes = Array.from({ length: 12 }, () => aNode(clock));
    await Promise.all(nodes.map(({ lease }) => lease.beat()));
    expect(new Set(nodes.map(({ lease }) => lease.node)).size).toBe(12);
    const drawn: number[] = [];
    for (let turn = 0; turn < 100; turn += 1) {
      for (const node of nodes) drawn.push(...draw(node, 40));
      clock.advance(1_000);
      await Promise.all(nodes.map(({ lease }) => lease.beat()));
    }
    expect(new Set(drawn).size).toBe(drawn.length);
    expect(drawn).toHaveLength(12 * 100 * 40);
  });

  it('gives the number of a stalled node to another, and the stalled node draws no id until it has a new number', async () => {
    const [zombie, other] = [aNode(new FixedClock()), aNode(new FixedClock())];
    await zombie.lease.beat();
    const before = draw(zombie, 100);
    for (const { clock } of [zombie, other]) clock.advance(61_000);
    await other.lease.beat();
    expect(other.lease.node).toBe(zombie.lease.node);
    expect(() => zombie.ids.next()).toThrow(refusal);
    const meanwhile = draw(other, 100);
    await zombie.lease.beat();
    expect(zombie.lease.node).not.toBe(other.lease.node);
    const all = [...before, ...meanwhile, ...draw(zombie, 100), ...draw(other, 100)];
    expect(new Set(all).size).toBe(400);
    expect(Math.min(...meanwhile)).toBeGreaterThan(Math.max(...before));
  });

  it('lets two nodes use one number in disjoint windows when a clock that is ahead considers it free', async () => {
    const [behind, ahead] = [aNode(new FixedClock()), aNode(new FixedClock())];
    await behind.lease.beat();
    ahead.clock.advance(3_600_000);
    await ahead.lease.beat();
    expect(ahead.lease.node).toBe(behind.lease.node);
    const all: number[] = [];
    for (let second = 0; second < 200; second += 1) {
      all.push(...draw(behind, 20), ...draw(ahead, 20));
      for (const node of [behind, ahead]) {
        node.clock.advance(1_000);
        await node.lease.beat();
      }
    }
    expect(new Set(all).size).toBe(all.length);
    expect(behind.lease.node).not.toBe(ahead.lease.node);
  });

  it('releases a number immediately: the next holder starts where the last one ended, even if its clock is behind', async () => {
    const first = aNode(new FixedClock());
    await first.lease.beat();
    const before = draw(first, 1_000);
    await first.lease.release();
    expect(() => first.ids.next()).toThrow(refusal);
    first.clock.advance(1_000);
    const second = aNode(first.clock);
    await second.lease.beat();
    const after = draw(second, 1_000);
    expect(new Set([...before, ...after]).size).toBe(2_000);
    expect(Math.min(...after)).toBeGreaterThan(Math.max(...before));
  });

  it('keeps working within its window while the database does not respond, and refuses after it', async () => {
    const node = aNode(new FixedClock());
    await node.lease.beat();
    const writes = writesOf(database, () => Promise.reject(new Error('away')));
    node.clock.advance(59_000);
    await node.lease.beat();
    draw(node, 10);
    node.clock.advance(2_000);
    expect(() => node.ids.next()).toThrow(refusal);
    writes.restore();
    await node.lease.beat();
    draw(node, 10);
  });

  it('has no number for a process beyond the maximum, until another one ends', async () => {
    const clock = new FixedClock();
    const nodes = Array.from({ length: nodeNumbers }, () => aNode(clock));
    for (const { lease } of nodes) await lease.beat();
    const surplus = aNode(clock);
    await surplus.lease.beat();
    expect(surplus.lease.node).toBeNull();
    expect(() => surplus.ids.next()).toThrow(refusal);
    await nodes[7]?.lease.release();
    clock.advance(1);
    await surplus.lease.beat();
    expect(surplus.ids.next()).toBeGreaterThan(0);
  });

  it('503 with Retry-After for requests that need an id while the service has none, and 200 a second later', async () => {
    running.nest.get(TimeOrderedIds).use(null);
    const register = () => running.call('post', '/users', { body: { username: 'late', password: 'secret' } });
    const refused = await register();
    expect([refused.status, refused.headers['retry-after']]).toEqual([503, '1']);
    await running.nest.get(IdLease).beat();
    expect((await register()).status).toBe(200);
  });
});

/** Writes that fail as those of an unavailable database. */
function writesOf(database: Database, write: () => Promise<never>): { restore: () => void } {
  const original = database.write.bind(database);
  database.write = write;
  return { restore: () => void (database.write = original) };
}
