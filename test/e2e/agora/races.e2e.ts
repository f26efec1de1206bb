import { Database } from '../../../src/database/database.js';
import { TokensService } from '../../../src/auth/tokens.service.js';
import { UsersService } from '../../../src/users/users.service.js';
import { aUsername } from '../../factories/user.factory.js';
import { FixedClock } from '../../support/fixed-clock.js';
import { type CallOptions, type Method, type RunningApp, startApp } from '../../support/start-app.js';
import { createDatabase, type TestDatabase } from '../../support/test-database.js';

/** On a MariaDB two services share the database; an embedded SQLite has one. */
describe('many callers at once', () => {
  const clock = new FixedClock(Date.now());
  let database: TestDatabase;
  let services: RunningApp[];
  let first: RunningApp;

  beforeAll(async () => {
    database = await createDatabase();
    const nodes = globalThis.rollcallEngine === 'mariadb' ? 2 : 1;
    services = await Promise.all(Array.from({ length: nodes }, () => startApp({ database, clock })));
    first = services[0] as RunningApp;
  });
  afterAll(async () => {
    await Promise.all(services.map((service) => service.stop()));
    await database.drop();
  });

  let turn = 0;
  /** A call of the first service's app, through the services in turn. */
  const call = async (method: Method, path: string, options: CallOptions = {}) => {
    turn += 1;
    const service = services[turn % services.length] as RunningApp;
    return await service.call(method, `/${first.path}${path}`, { token: first.token, ...options });
  };
  const rowsOf = async (username: string) =>
    first.nest
      .get(Database)
      .read<Record<string, unknown>>('SELECT * FROM users WHERE app_id = ? AND username = ?', [first.app.id, username]);

  it.each([1, 2, 3])('200 to exactly one of fifty registrations of one name, in any case (%i)', async () => {
    const username = aUsername('race');
    const before = await first.nest.get(UsersService).count(first.app.id);
    const responses = await Promise.all(
      Array.from({ length: 50 }, (_none, index) =>
        call('post', '/users', {
          body: { username: index % 2 === 0 ? username : username.toUpperCase(), password: `p${index}` },
        }),
      ),
    );
    const statuses = responses.map(({ status }) => status).sort();
    expect(statuses).toEqual([200, ...Array<number>(49).fill(400)]);
    const errors = new Set(responses.map(({ body }) => body.error as string | undefined));
    expect([...errors].sort()).toEqual(['duplicate_unique_property_exists', undefined]);
    const rows = await rowsOf(username);
    expect(rows).toHaveLength(1);
    const winner = responses.find(({ status }) => status === 200)?.body.entities[0];
    expect(rows[0]?.uuid).toBe(winner.uuid);
    expect(await first.nest.get(UsersService).count(first.app.id)).toBe(before + 1);
    // The password is the winner's, nobody else's.
    const index = responses.findIndex(({ status }) => status === 200);
    const login = await call('post', '/token', {
      body: { grant_type: 'password', username, password: `p${index}` },
      token: null,
    });
    expect(login.status).toBe(200);
  });

  it('2xx or 400 to twenty clients with 25 overlapping batches each, and each user is made once', async () => {
    const prefix = aUsername('pool');
    const random = seeded(20_260_101);
    const before = await first.nest.get(UsersService).count(first.app.id);
    const made: string[] = [];
    const wanted = new Set<string>();
    const client = async (): Promise<void> => {
      for (let batch = 0; batch < 25; batch += 1) {
        const names = Array.from({ length: 12 }, () => `${prefix}-${Math.floor(random() * 300)}`);
        for (const name of names) wanted.add(name);
        const body = names.map((username) => ({ username, password: 'same' }));
        const response = await call('post', '/users', { body });
        expect([200, 400]).toContain(response.status);
        if (response.status === 400) expect(response.body.error).toBe('duplicate_unique_property_exists');
        else made.push(...response.body.entities.map((user: { username: string }) => user.username));
      }
    };
    await Promise.all(Array.from({ length: 20 }, client));
    expect(made.sort()).toEqual([...wanted].sort());
    expect(await first.nest.get(UsersService).count(first.app.id)).toBe(before + wanted.size);
  });

  it('200 to every ban, unban, new password and nickname of one user at once, and none is lost', async () => {
    const { username, uuid } = await first.register(aUsername(), { nickname: 'n' });
    const times = 40;
    const calls = Array.from({ length: times }, (_none, index) => [
      call('post', `/users/${username}/deactivate`, { body: { reason: `${index}` } }),
      call('put', `/users/${username}/password`, { body: { newpassword: `p${index}` } }),
      call('post', `/users/${username}/activate`),
      call('put', `/users/${username}`, { body: { nickname: `n${index}` } }),
    ]).flat();
    const responses = await Promise.all(calls);
    expect(responses.map(({ status }) => status)).toEqual(Array(times * 4).fill(200));

    const [row] = await rowsOf(username);
    const history = await first.nest
      .get(Database)
      .read<{ outcome: string | null }>('SELECT outcome FROM bans WHERE app_id = ? AND user_uuid = ? ORDER BY id', [
        first.app.id,
        uuid,
      ]);
    const outcomes = history.map(({ outcome }) => outcome);
    // Each ban but the last has ended in one way, and whether the last one has is the state.
    expect(outcomes.slice(0, -1).every((outcome) => outcome === 'lifted' || outcome === 'superseded')).toBe(true);
    expect(outcomes.length).toBeGreaterThan(0);
    expect([null, 'lifted']).toContain(outcomes.at(-1));
    expect(row?.activated).toBe(outcomes.at(-1) === null ? 0 : 1);
    // The clock stands still, so each revocation moved the epoch by exactly one. A ban of a banned user ends no token.
    const bans = outcomes.filter((_outcome, index) => outcomes[index - 1] !== 'superseded').length;
    expect(Number(row?.token_epoch)).toBe(clock.now() + times + bans - 1);
    expect(row?.nickname).toMatch(/^n\d+$/);
    await call('post', `/users/${username}/activate`);
    const users = first.nest.get(UsersService);
    const right = await Promise.all(
      Array.from({ length: times }, (_none, index) =>
        users.authenticate(first.app.id, username, `p${index}`).then(
          () => 1,
          () => 0,
        ),
      ),
    );
    expect(right.reduce<number>((sum, one) => sum + one, 0)).toBe(1);
  });

  it('200 to fifty who inherit a token of one user that is made for them', async () => {
    const username = aUsername('auto');
    const responses = await Promise.all(
      Array.from({ length: 50 }, () =>
        call('post', '/token', { body: { grant_type: 'inherit', username, autoCreateUser: true } }),
      ),
    );
    expect(responses.map(({ status }) => status)).toEqual(Array(50).fill(200));
    expect(await rowsOf(username)).toHaveLength(1);
    const tokens = first.nest.get(TokensService);
    for (const { body } of responses)
      expect((await tokens.authenticateUser(first.app, body.access_token)).user.username).toBe(username);
  });

  it('no token survives a ban that runs at the same time as its making', async () => {
    for (let round = 0; round < 10; round += 1) {
      const { username } = await first.register(aUsername());
      const login = () =>
        call('post', '/token', { body: { grant_type: 'password', username, password: 'secret' }, token: null });
      const [one, two, ban, three, four] = await Promise.all([
        login(),
        login(),
        call('post', `/users/${username}/deactivate`),
        login(),
        login(),
      ]);
      expect(ban.status).toBe(200);
      const tokens = first.nest.get(TokensService);
      for (const { status, body } of [one, two, three, four]) {
        expect([200, 400]).toContain(status);
        if (status === 200)
          await expect(tokens.authenticateUser(first.app, body.access_token)).rejects.toMatchObject({
            code: 'token_not_accepted',
          });
      }
    }
  });

  it('2xx or 404 to deletions and registrations of the same names at once, and the count is right', async () => {
    const names = Array.from({ length: 10 }, () => aUsername('churn'));
    const before = await first.nest.get(UsersService).count(first.app.id);
    const responses = await Promise.all(
      Array.from({ length: 200 }, (_none, index) => {
        const username = names[index % names.length] as string;
        return index % 3 === 0
          ? call('delete', `/users/${username}`)
          : call('post', '/users', { body: { username, password: 'p' } });
      }),
    );
    for (const { status } of responses) expect([200, 400, 404]).toContain(status);
    const left = (await Promise.all(names.map(rowsOf))).flat().length;
    const registered = responses.filter(({ status, body }) => status === 200 && body.action === 'post').length;
    const deleted = responses.filter(({ status, body }) => status === 200 && body.action === 'delete').length;
    expect(left).toBe(registered - deleted);
    expect(await first.nest.get(UsersService).count(first.app.id)).toBe(before + left);
  });
});

/** Mulberry32: the same numbers in every run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
