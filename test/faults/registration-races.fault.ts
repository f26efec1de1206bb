import { registrations } from '../factories/user.factory.js';
import { Cluster, inTurns } from '../support/cluster.js';
import { randomFrom, runs, seed } from '../support/form.js';
import { rowsOf } from '../support/rows.js';
import type { ServiceProcess } from '../support/service-process.js';

const contenders = 50;
const names = runs(10, 100);
const clients = 20;
const batchesEach = runs(10, 25);
const batchSize = 60;
const timeoutMs = runs(120_000, 600_000);

describe(`registrations that race through three nodes (seed ${seed})`, () => {
  let cluster: Cluster;
  beforeAll(async () => {
    // Hashing is not the subject: on a busy machine, its queue would refuse callers before they race.
    cluster = await Cluster.start(3, undefined, { PASSWORD_CONCURRENCY: '64' });
  }, 120_000);
  afterAll(() => cluster?.stop());

  const node = (index: number): ServiceProcess => cluster.node(index % 3);
  const usersLike = (prefix: string): Promise<{ username: string }[]> =>
    rowsOf(cluster.databaseUrl, `SELECT username FROM users WHERE username LIKE '${prefix}%'`);
  const counted = async (): Promise<[number, number]> => {
    const [rows] = await rowsOf<{ n: unknown }>(cluster.databaseUrl, 'SELECT COUNT(*) AS n FROM users');
    const [count] = await rowsOf<{ n: unknown }>(cluster.databaseUrl, 'SELECT SUM(users) AS n FROM user_counts');
    return [Number(rows?.n), Number(count?.n)];
  };

  it.each([
    ['the same name', (name: string) => name],
    [
      'the same name in different letter cases',
      (name: string, contender: number) =>
        [...name].map((letter, at) => ((contender >> (at % 6)) & 1 ? letter.toUpperCase() : letter)).join(''),
    ],
  ])(
    `one of fifty simultaneous registrations of %s gets it, and each of the others is told so`,
    async (_what, spelling) => {
      const prefix = `race${Math.floor(randomFrom(_what)() * 1e9)}x`;
      const outcomes = { registered: 0, taken: 0 };
      for (let index = 0; index < names; index += 1) {
        const answers = await Promise.all(
          Array.from({ length: contenders }, (_none, contender) =>
            cluster.call(node(contender), 'POST', '/users', {
              username: spelling(`${prefix}${index}`, contender),
              password: 'p',
            }),
          ),
        );
        const won = answers.filter(({ status }) => status === 200);
        expect(won.map(({ body }) => body.entities[0].username)).toEqual([`${prefix}${index}`]);
        const lost = answers.filter(({ status }) => status !== 200);
        for (const { status, body } of lost)
          expect({ status, error: body.error }).toEqual({ status: 400, error: 'duplicate_unique_property_exists' });
        outcomes.registered += won.length;
        outcomes.taken += lost.length;
      }
      console.log(`${_what}: ${outcomes.registered} registered, ${outcomes.taken} told that it is taken`);
      expect(outcomes).toEqual({ registered: names, taken: names * (contenders - 1) });
      expect(await usersLike(prefix)).toHaveLength(names);
      const [rows, count] = await counted();
      expect(count).toBe(rows);
    },
    timeoutMs,
  );

  it(
    'overlapping batches of sixty all succeed as documented, with no visible deadlock',
    async () => {
      const random = randomFrom('batches');
      const prefix = `batch${Math.floor(random() * 1e9)}x`;
      const all = clients * batchesEach;
      const stride = 20;
      const pool = registrations(all * stride + 4 * batchSize, prefix);
      // Each batch is a random selection, in random order, of names some of which its neighbours use as well.
      const draw = (_none: unknown, index: number): Record<string, unknown>[] =>
        pool
          .slice(index * stride, index * stride + 4 * batchSize)
          .map((user) => ({ user, at: random() }))
          .sort((one, other) => one.at - other.at)
          .slice(0, batchSize)
          .map(({ user }) => user);
      const batches = Array.from({ length: all }, draw);
      const statuses = new Map<number, number>();
      const registered: string[] = [];
      await inTurns(batches, clients, async (batch, index) => {
        const { status, body } = await cluster.call(node(index), 'POST', '/users', batch);
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        if (status === 200) {
          const mine = (body.entities as { username: string }[]).map(({ username }) => username);
          const refused = (body.data as { username: string }[]).map(({ username }) => username);
          // Everyone is in one of the two lists.
          expect([...mine, ...refused].sort()).toEqual(batch.map(({ username }) => username).sort());
          registered.push(...mine);
        } else
          expect({ status, error: body.error }).toEqual({ status: 400, error: 'duplicate_unique_property_exists' });
      });
      console.log(`${batches.length} batches: ${[...statuses].map(([status, n]) => `${n} × ${status}`).join(', ')}`);
      const wanted = new Set(batches.flat().map(({ username }) => username));
      expect(registered).toHaveLength(wanted.size);
      expect(new Set(registered)).toEqual(wanted);
      expect(await usersLike(prefix)).toHaveLength(wanted.size);
      const [rows, count] = await counted();
      expect(count).toBe(rows);
    },
    timeoutMs,
  );
});
