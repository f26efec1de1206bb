import { LastSeenService } from '../../../src/last-seen/last-seen.service.js';
import { TokensService } from '../../../src/auth/tokens.service.js';
import type { UserFilter, UserQuery } from '../../../src/user-search/user-query.js';
import { type FoundUsers, UserSearchService } from '../../../src/user-search/user-search.service.js';
import { UsersService } from '../../../src/users/users.service.js';
import { expectOrder } from '../../support/agora-answers.js';
import { FixedClock } from '../../support/fixed-clock.js';
import { GatewayClient } from '../../support/gateway-client.js';
import { type RunningApp, startApp } from '../../support/start-app.js';

const members = [
  ...['action', 'params', 'path', 'uri', 'entities', 'timestamp', 'duration', 'cursor', 'count', 'scanned', 'complete'],
];

describe('GET search/users', () => {
  const clock = new FixedClock(Date.now());
  const clients: GatewayClient[] = [];
  let service: RunningApp;
  const found = async (query: Record<string, string | number>) => {
    const texts = Object.entries(query).map(([name, value]) => [name, String(value)] as const);
    const search = new URLSearchParams(Object.fromEntries(texts));
    return service.call('get', `/search/users?${search.toString()}`);
  };
  const namesOf = async (query: Record<string, string | number>): Promise<string[]> => {
    const response = await found(query);
    expect(response.status).toBe(200);
    return (response.body.entities as { username: string }[]).map(({ username }) => username);
  };
  /** Of all pages. */
  const allOf = async (query: Record<string, string | number>, limit = 2): Promise<string[]> => {
    const names: string[] = [];
    for (let cursor: string | undefined = ''; cursor !== undefined;) {
      const { status, body } = await found({ ...query, limit, cursor });
      expect(status).toBe(200);
      names.push(...(body.entities as { username: string }[]).map(({ username }) => username));
      cursor = body.cursor as string | undefined;
    }
    return names;
  };
  const logIn = async (username: string) => {
    const user = await service.nest.get(UsersService).get(service.app.id, username);
    const { accessToken } = service.nest.get(TokensService).issueUserToken(service.app, user, 3_600);
    const client = await GatewayClient.login(service.url, service.path, accessToken);
    clients.push(client);
    return client;
  };
  const created: Record<string, number> = {};
  const seen: Record<string, number> = {};
  let banEndsAt: number;

  beforeAll(async () => {
    service = await startApp({ clock });
    for (const [username, nickname] of [
      ['ann', 'Émile'],
      ['anna', 'STRASSE 1'],
      ['bob', 'straße 2'],
      ['carl', ''],
      ['dora', 'Straub'],
      ['emil', '😀 smile'],
    ] as const) {
      clock.advance(1_000);
      created[username] = clock.now();
      await service.register(username, nickname === '' ? {} : { nickname });
    }
    for (const username of ['dora', 'bob', 'carl']) {
      clock.advance(1_000);
      const client = await logIn(username);
      clock.advance(1_000);
      seen[username] = clock.now();
      await service.nest.get(LastSeenService).storeDue();
      if (username !== 'carl') await client.close();
    }
    banEndsAt = clock.now() + 30 * 86_400_000;
    await service.call('post', '/users/bob/deactivate', { body: { ends_at: banEndsAt } }).expect(200);
    await service.call('post', '/users/emil/deactivate').expect(200);
  });
  afterAll(async () => {
    for (const client of clients) await client.close();
    await service.stop();
  });

  test('200 with each user as everywhere, and state, last seen and presence', async () => {
    const response = await found({ username: 'CARL' });
    expectOrder(
      response,
      members.filter((name) => name !== 'cursor'),
    );
    expect(response.body).toMatchObject({
      ...{ action: 'get', path: '/search/users', params: { username: ['CARL'] }, count: 1, scanned: 1, complete: true },
    });
    const [user] = (await service.call('get', '/users/carl')).body.entities as object[];
    expect(response.body.entities).toEqual([{ ...user, state: 'active', last_seen: seen['carl'], online: true }]);
    expect((await found({ username: 'bob' })).body.entities[0]).toMatchObject({
      ...{ activated: false, state: 'banned', ban_ends_at: banEndsAt, online: false, last_seen: seen['bob'] },
    });
    const [emil] = (await found({ username: 'emil' })).body.entities as object[];
    expect(emil).toMatchObject({ state: 'banned', last_seen: null });
    expect(emil).not.toHaveProperty('ban_ends_at');
  });

  test.each<[string, Record<string, string>, string[]]>([
    ['the name', { username: 'An' }, ['ann', 'anna']],
    ['the nickname in any case and form', { nickname: 'STRASS' }, ['anna', 'bob']],
    ['the nickname with its accents', { nickname: 'e\u0301M' }, ['ann']],
    ['the nickname, beyond what its index has', { nickname: `strasse 1${' '.repeat(3)}` }, []],
    ['a character of two units', { nickname: '😀' }, ['emil']],
    ['bans', { state: 'banned' }, ['bob', 'emil']],
    ['no bans', { state: 'active' }, ['ann', 'anna', 'carl', 'dora']],
    ['presence', { state: 'online' }, ['carl']],
    ['a name that nobody can have', { username: 'a b' }, []],
    ['name and nickname', { username: 'a', nickname: 's' }, ['anna']],
    ['nickname and state', { nickname: 'str', state: 'active' }, ['anna', 'dora']],
    ['name, nickname, and presence', { username: 'c', nickname: 's', state: 'online' }, []],
    ['nothing', {}, ['ann', 'anna', 'bob', 'carl', 'dora', 'emil']],
  ])('200 by %s, on one page and on several', async (_by, query, expected) => {
    expect((await namesOf(query)).sort()).toEqual(expected);
    expect((await allOf(query, 1)).sort()).toEqual(expected);
  });

  test('200 by times: from the first, without the second', async () => {
    const { anna = 0, carl = 0 } = created;
    expect(await namesOf({ created_from: anna, created_to: carl })).toEqual(['anna', 'bob']);
    expect(await namesOf({ created_from: anna + 1, created_to: carl + 1 })).toEqual(['bob', 'carl']);
    expect(await namesOf({ created_from: carl })).toEqual(['carl', 'dora', 'emil']);
    expect(await namesOf({ last_seen_from: seen['bob'] as number })).toEqual(['bob', 'carl']);
    expect(await namesOf({ last_seen_to: seen['bob'] as number })).toEqual(['dora']);
    expect(await namesOf({ last_seen_from: 0, state: 'banned' })).toEqual(['bob']);
    expect(await namesOf({ created_from: carl, last_seen_from: 0 })).toEqual(expect.arrayContaining(['carl', 'dora']));
  });

  test.each<[string, Record<string, string>, string[]]>([
    ['created', {}, ['ann', 'anna', 'bob', 'carl', 'dora', 'emil']],
    ['username', {}, ['ann', 'anna', 'bob', 'carl', 'dora', 'emil']],
    ['nickname', {}, ['ann', 'anna', 'bob', 'dora', 'emil']],
    ['last_seen', {}, ['dora', 'bob', 'carl']],
    ['last_seen', { username: 'd' }, ['dora']],
    ['nickname', { state: 'active' }, ['ann', 'anna', 'dora']],
    ['created', { nickname: 'str' }, ['anna', 'bob', 'dora']],
    ['username', { last_seen_from: '0' }, ['bob', 'carl', 'dora']],
    ['nickname', { last_seen_from: '0' }, ['bob', 'dora']],
    ['last_seen', { state: 'online' }, ['carl']],
  ])('200 in the order of %s, and backwards, with %j', async (sort, query, expected) => {
    expect(await allOf({ ...query, sort })).toEqual(expected);
    expect(await allOf({ ...query, sort: `-${sort}` })).toEqual(expected.toReversed());
  });

  test('200 for users of the same moment and nickname: each on one page', async () => {
    const names = Array.from({ length: 7 }, (_none, index) => `twin${index}`);
    for (const username of names) await service.register(username, { nickname: 'Twin' });
    for (const query of [{ nickname: 'twin' }, { created_from: clock.now() }] as Record<string, string | number>[])
      for (const sort of ['', 'nickname', '-nickname', 'created', '-created'])
        expect((await allOf({ ...query, sort }, 2)).sort()).toEqual(names);
    await service.call('put', '/users/twin0', { body: { nickname: 'Other' } }).expect(200);
    await service.call('delete', '/users/twin1').expect(200);
    expect((await allOf({ nickname: 'twin' })).sort()).toEqual(names.slice(2));
    expect(await allOf({ nickname: 'OTHER' })).toEqual(['twin0']);
    for (const username of names.filter((name) => name !== 'twin1'))
      await service.call('delete', `/users/${username}`).expect(200);
  });

  test('400 for a cursor of another query, another app, or nobody', async () => {
    const { cursor } = (await found({ username: 'a', limit: 1 })).body as { cursor: string };
    expect((await found({ username: 'a', limit: 1, cursor })).status).toBe(200);
    const others = [{ username: 'b', cursor }, { username: 'a', sort: 'created', cursor }, { cursor: 'x' }];
    for (const query of others as Record<string, string>[]) expect((await found(query)).status).toBe(400);
  });

  test.each([
    ...[{ state: 'away' }, { sort: 'id' }, { created_from: 'today' }, { last_seen_to: '-1' }, { limit: 'all' }],
    ...[{ created_from: 5, created_to: 5 }, { username: 'x'.repeat(256) }, { nickname: '\0' }],
  ] as Record<string, string | number>[])('400 for %j', async (query) => {
    expect((await found(query)).status).toBe(400);
  });

  test('200 for a user with the name of the route', async () => {
    await service.register('search');
    await service.register('notes');
    expect((await service.call('get', '/users/search')).body.entities[0].username).toBe('search');
    for (const name of ['search', 'notes']) await service.call('delete', `/users/${name}`).expect(200);
  });
});

describe('a search that is cut off', () => {
  let service: RunningApp;
  beforeAll(async () => void (service = await startApp()));
  afterAll(() => service.stop());

  test('says so, and its cursor goes on to the rest', async () => {
    const { app } = service;
    const users = service.nest.get(UsersService);
    // As long as a key of the index: what comes after it is found by reading.
    const hay = 'hay'.padEnd(64, '-');
    for (let part = 0; part < 110; part += 1) {
      const accounts = Array.from({ length: 60 }, (_none, index) => ({
        username: `u${part}-${index}`,
        nickname: part === 109 && index > 56 ? 'needle' : `${hay}1`,
      }));
      await users.register(app, accounts, true);
    }
    const search = service.nest.get(UserSearchService);
    const find = (filter: UserFilter, limit = 10) => search.find(app.id, { filter, sort: null }, limit, null);
    const all = { username: 'u', created: { from: 0 } };
    expect(await find({ ...all, state: 'active' })).toMatchObject({ scanned: 250, complete: true });
    // The most selective index has few.
    const rare = await find({ ...all, nickname: 'needl' });
    expect(rare.users).toHaveLength(3);
    expect(rare).toMatchObject({ scanned: 3, complete: true, cursor: null });
    expect(await find({ ...all, state: 'online' })).toMatchObject({ users: [], scanned: 0, complete: true });
    // Of this, no index has few.
    const query: UserQuery = { filter: { ...all, nickname: 'ha' }, sort: { by: 'created', descending: true } };
    await users.register(app, [{ username: 'u-last', nickname: 'Hat' }], true);
    const pages: FoundUsers[] = [];
    for (let cursor: string | null = null, more = true; more;) {
      const page: FoundUsers = await search.find(app.id, query, 100, cursor);
      pages.push(page);
      cursor = page.cursor;
      more = cursor !== null;
    }
    expect(new Set(pages.flatMap((page) => page.users.map(({ user }) => user.id))).size).toBe(6_598);
    expect(pages[0]?.users[0]?.user.username).toBe('u-last');
    const nobody = { filter: { ...all, nickname: 'hay', lastSeen: { below: 1 } }, sort: query.sort };
    expect(await search.find(app.id, nobody, 10, null)).toMatchObject({ users: [], scanned: 0, cursor: null });
    const cut = { filter: { username: 'u', nickname: `${hay}2` }, sort: null };
    const first = await search.find(app.id, cut, 10, null);
    expect(first).toMatchObject({ users: [], scanned: 5_000, complete: false, cursor: expect.any(String) });
    const last = await search.find(app.id, cut, 10, first.cursor);
    expect(last).toMatchObject({ users: [], complete: true, cursor: null });
    for (const page of pages) expect(page.scanned).toBeLessThanOrEqual(5_000);
  });
});
