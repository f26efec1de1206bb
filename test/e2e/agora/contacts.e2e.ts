import { Database } from '../../../src/database/database.js';
import { RemovalsService } from '../../../src/removals/removals.service.js';
import { agoraErrors, anEntity, expectError, expectOrder } from '../../support/agora-answers.js';
import { type RunningApp, startApp } from '../../support/start-app.js';

const maxContacts = 70;

describe('contacts', () => {
  let service: RunningApp;
  let userCount = 0;

  beforeAll(async () => void (service = await startApp({ settings: { contacts_per_user: String(maxContacts) } })));
  afterAll(() => service.stop());

  /** Users with names that no other test uses. */
  async function users(count: number): Promise<string[]> {
    const names = Array.from({ length: count }, () => `user${(userCount += 1)}`);
    for (let start = 0; start < count; start += 60) {
      const body = names.slice(start, start + 60).map((username) => ({ username, password: 'p' }));
      expect((await service.call('post', '/users', { body })).status).toBe(200);
    }
    return names;
  }
  const add = (user: string, friend: string) => service.call('post', `/users/${user}/contacts/users/${friend}`);
  const remove = (user: string, friend: string) => service.call('delete', `/users/${user}/contacts/users/${friend}`);
  const list = async (user: string): Promise<string[]> =>
    (await service.call('get', `/users/${user}/contacts/users`)).body.data as string[];
  const page = (user: string, query = '') => service.call('get', `/user/${user}/contacts${query}`);
  const importContacts = (user: string, usernames: readonly string[]) =>
    service.call('post', `/users/${user}/contacts/import`, { body: { usernames } });
  const deleteUser = async (user: string) => expect((await service.call('delete', `/users/${user}`)).status).toBe(200);
  /** Adds this many, ten per call. */
  async function addAll(user: string, friends: readonly string[]): Promise<void> {
    for (let start = 0; start < friends.length; start += 10)
      expect((await importContacts(user, friends.slice(start, start + 10))).body.data.success).toHaveLength(
        Math.min(10, friends.length - start),
      );
  }
  const rowsOf = (table: string) =>
    service.nest.get(Database).read<object>(`SELECT * FROM ${table} WHERE app_id = ?`, [service.app.id]);
  const finishRemovals = () => service.nest.get(RemovalsService).finish({ all: true });

  const tooMany = { status: 403, error: 'exceed_limit', description: 'user contact number exceed limit' };

  it('200 add and remove, on both sides; repeating it changes nothing', async () => {
    const [a, b, c] = (await users(3)) as [string, string, string];
    const answer = await add(a, b.toUpperCase());
    expect(answer.status).toBe(200);
    expectOrder(answer, [
      ...['action', 'application', 'path', 'uri', 'entities', 'timestamp', 'duration', 'organization'],
      'applicationName',
    ]);
    const { uuid } = (await service.call('get', `/users/${a}`)).body.entities[0];
    expect(answer.body).toMatchObject({ action: 'post', path: `/users/${uuid}/contacts` });
    expect(answer.body.uri).toBe(`${service.url}${service.path}/users/${uuid}/contacts`);
    expect(answer.body.entities).toEqual([anEntity({ username: b })]);
    expect((await add(b, a)).status).toBe(200);
    expect((await add(a, c)).status).toBe(200);
    expect([await list(a), await list(b), await list(c)]).toEqual([[c, b], [a], [a]]);
    const removed = await remove(b, a);
    expect(removed.body).toMatchObject({ action: 'delete', entities: [{ username: a }] });
    expect((await remove(a, b)).status).toBe(200);
    expect([await list(a), await list(b)]).toEqual([[c], []]);
  });

  it('200 list of all names, with remarks if requested', async () => {
    const [a, b, c] = (await users(3)) as [string, string, string];
    await addAll(a, [b, c]);
    expect((await service.call('put', `/user/${a}/contacts/users/${b}`, { body: { remark: 'Bee 🐝' } })).body).toEqual({
      ...{ action: 'put', duration: expect.any(Number), status: 'ok', timestamp: expect.any(Number) },
      uri: `${service.url}${service.path}/user/${a}/contacts/users/${b}`,
    });
    const plain = await service.call('get', `/users/${a}/contacts/users?version=1`);
    expectOrder(plain, ['action', 'uri', 'entities', 'data', 'timestamp', 'duration', 'count']);
    expect(plain.body).toMatchObject({ action: 'get', entities: [], data: [c, b], count: 2 });
    const { body } = await service.call('get', `/users/${a}/contacts/users?needReturnRemark=true`);
    expect(body.data).toEqual([c, b]);
    expect(body.entities).toEqual([
      { remark: null, username: c },
      { remark: 'Bee 🐝', username: b },
    ]);
  });

  it('200 a page of 1 to 50, with remarks if requested; 400 for more', async () => {
    const [a, ...friends] = (await users(53)) as [string, ...string[]];
    await addAll(a, friends);
    await service.call('put', `/users/${a}/contacts/users/${friends[51]}`, { body: { remark: 'the last' } });
    const newestFirst = friends.toReversed();
    const first = await page(a, '?limit=50&needReturnRemark=true');
    expectOrder(first, ['uri', 'timestamp', 'entities', 'count', 'action', 'data', 'duration']);
    expect(first.body).toMatchObject({ count: 50, action: 'get', entities: [] });
    expect(first.body.uri).toBe(`${service.url}${service.path}/users/${a}/rostersByPage`);
    expect(first.body.data.contacts).toEqual(
      newestFirst.slice(0, 50).map((username, index) => ({ remark: index === 0 ? 'the last' : null, username })),
    );
    const cursor = first.body.data.cursor as string;
    const last = await service.call('get', `/users/${a}/contacts?limit=50&cursor=${cursor}`);
    expect(last.body.data).toEqual({ contacts: newestFirst.slice(50).map((username) => ({ username })) });
    expect((await page(a)).body.data.contacts).toHaveLength(10);
    expectError(await page(a, '?limit=51'), agoraErrors.illegal('getContacts | page size more than max limit : 50'));
    for (const query of ['?limit=ten', '?cursor=nonsense']) expect((await page(a, query)).status).toBe(400);
  });

  it('200 separate remarks on each side, gone with the contact; 400 for a non-contact and for over 100 characters', async () => {
    const [a, b, c] = (await users(3)) as [string, string, string];
    await add(a, b);
    const remark = (user: string, friend: string, text: unknown) =>
      service.call('put', `/user/${user}/contacts/users/${friend}`, { body: { remark: text } });
    const remarksOf = async (user: string) =>
      (await page(user, '?needReturnRemark=true')).body.data.contacts as object[];
    expect((await remark(a, b, '😀'.repeat(100))).status).toBe(200);
    expect((await remark(b, a, 'Ann')).status).toBe(200);
    expect([await remarksOf(a), await remarksOf(b)]).toEqual([
      [{ remark: '😀'.repeat(100), username: b }],
      [{ remark: 'Ann', username: a }],
    ]);
    // Repeating the call must find the contact as well.
    expect((await remark(b, a, 'Ann')).status).toBe(200);
    expect((await remark(b, a, '')).status).toBe(200);
    expect(await remarksOf(b)).toEqual([{ remark: null, username: a }]);
    const notFriends = agoraErrors.illegal('updateRemark they are not friends, please add as a friend first.');
    expectError(await remark(a, c, 'x'), notFriends);
    expectError(await remark(a, b, 'x'.repeat(101)), agoraErrors.illegal('remark must be at most 100 characters'));
    for (const wrong of [undefined, null, 1]) expect((await remark(a, b, wrong)).status).toBe(400);
    await remove(a, b);
    expectError(await remark(a, b, 'x'), notFriends);
    await add(a, b);
    expect(await remarksOf(a)).toEqual([{ remark: null, username: b }]);
  });

  it('200 import of up to 10, each on its own; 400 for more', async () => {
    const [a, b, c, ...others] = (await users(12)) as [string, string, string, ...string[]];
    await add(a, b);
    const { status, body } = await importContacts(a, [b, c.toUpperCase(), 'nobody', a]);
    expect(status).toBe(200);
    expect(body).toEqual({
      ...{ status: 'ok', timestamp: expect.any(Number), action: 'post', duration: expect.any(Number) },
      data: { UnKnowFailed: [a], success: [b, c.toUpperCase()], NotExistFailed: ['nobody'], maxLimitFailed: [] },
    });
    expect([await list(a), await list(c)]).toEqual([[c, b], [a]]);
    expect((await importContacts(b, ['nobody'])).body.data).toMatchObject({ success: [], NotExistFailed: ['nobody'] });
    expectError(await importContacts(a, [b, c, ...others]), agoraErrors.illegal('request user over flow limit:10.'));
    for (const wrong of [undefined, 'a', [], [1]])
      expect((await service.call('post', `/users/${a}/contacts/import`, { body: { usernames: wrong } })).status).toBe(
        400,
      );
  });

  it('200 for a check of up to 100', async () => {
    const [a, b, c] = (await users(3)) as [string, string, string];
    await add(a, b);
    const check = (body: object) => service.call('post', '/contacts/check', { body });
    const { body } = await check({ username: a, check_list: [b.toUpperCase(), c, 'nobody', a] });
    expect(body).toMatchObject({ action: 'post', path: '/contacts/check' });
    expect(body.entities).toEqual([
      { username: b.toUpperCase(), relation: 'friend' },
      ...[c, 'nobody', a].map((username) => ({ username, relation: 'not_friend' })),
    ]);
    const size = agoraErrors.illegal('check_list size must be between 1 and 100');
    expectError(await check({ username: a, check_list: Array(101).fill(b) }), size);
    expectError(await check({ username: 'nobody', check_list: [b] }), agoraErrors.missingUser);
  });

  it('404 for unknown users; 400 for oneself', async () => {
    const [a] = (await users(1)) as [string];
    for (const answer of [
      ...[await add(a, 'nobody'), await add('nobody', a), await remove(a, 'nobody'), await page('nobody')],
      ...[await importContacts('nobody', [a]), await service.call('get', '/users/nobody/contacts/users')],
      ...[await service.call('delete', '/contacts/users/nobody')],
      await service.call('put', `/user/${a}/contacts/users/nobody`, { body: { remark: 'x' } }),
    ])
      expectError(answer, agoraErrors.missingUser);
    expectError(await add(a, a), agoraErrors.illegal('a user cannot be a contact of itself'));
    expect(await list(a)).toEqual([]);
  });

  it('200 with a banned user on either side', async () => {
    const [a, b] = (await users(2)) as [string, string];
    await service.call('post', `/users/${b}/deactivate`);
    expect((await add(a, b)).body.entities[0].activated).toBe(false);
    expect((await add(b, a)).status).toBe(200);
    expect([await list(a), await list(b)]).toEqual([[b], [a]]);
  });

  it('403 beyond the limit of either side, even for concurrent calls', async () => {
    const [a, b, ...others] = (await users(maxContacts + 8)) as [string, string, ...string[]];
    await addAll(a, others.slice(0, maxContacts - 3));
    const last = [...others.slice(maxContacts - 3), b];
    const answers = await Promise.all(last.map((name, index) => (index % 2 === 0 ? add(a, name) : add(name, a))));
    const refused = last.filter((_name, index) => answers[index]?.status !== 200);
    expect(refused).toHaveLength(last.length - 3);
    for (const answer of answers.filter(({ status }) => status !== 200)) expectError(answer, tooMany);
    expect(await list(a)).toHaveLength(maxContacts);
    const [out] = refused as [string];
    expectError(await importContacts(a, [out]), {
      ...{ status: 403, error: 'exceed_limit', description: "Inviter's contact max count." },
    });
    expect((await importContacts(out, [a])).body.data).toMatchObject({ success: [], maxLimitFailed: [a] });
    const [first, second] = others as [string, string];
    await remove(a, first);
    await deleteUser(second);
    // The remains of the deleted user need no room.
    expect((await importContacts(a, refused)).body.data).toMatchObject({
      ...{ success: refused.slice(0, 2), maxLimitFailed: refused.slice(2) },
    });
    expect(await list(a)).toHaveLength(maxContacts);
  });

  it('200 for concurrent adds of the same pair from both sides, and for a concurrent removal', async () => {
    const [a, b] = (await users(2)) as [string, string];
    const rounds = Array.from({ length: 4 }, async () => {
      const answers = await Promise.all([add(a, b), add(b, a), remove(a, b)]);
      return answers.map(({ status }) => status);
    });
    expect((await Promise.all(rounds)).flat()).toEqual(Array(12).fill(200));
    const both = [await list(a), await list(b)];
    expect(both[0]?.length).toBe(both[1]?.length);
    await add(a, b);
    expect([await list(a), await list(b)]).toEqual([[b], [a]]);
    await finishRemovals();
    const heads = (await rowsOf('contact_lists')) as { contacts: number }[];
    const contacts = await rowsOf('contacts');
    expect(heads.reduce((sum, head) => sum + Number(head.contacts), 0)).toBe(contacts.length);
  });

  it('200 or 404 for an add during the deletion of the friend, which leaves nothing behind', async () => {
    const names = await users(24);
    await finishRemovals();
    const before = (await rowsOf('contacts')).length;
    await Promise.all(
      Array.from({ length: 12 }, async (_none, index) => {
        const [a, b] = names.slice(2 * index, 2 * index + 2) as [string, string];
        const [added, deleted] = await Promise.all([add(a, b), service.call('delete', `/users/${b}`)]);
        expect([200, 404]).toContain(added.status);
        expect(deleted.status).toBe(200);
        expect(await list(a)).toEqual([]);
      }),
    );
    await finishRemovals();
    expect(await rowsOf('contacts')).toHaveLength(before);
  });

  it('200 clear removes contacts on both sides at once and keeps blocks, and contacts can be added again', async () => {
    const [a, ...friends] = (await users(65)) as [string, ...string[]];
    const [first, second] = friends as [string, string];
    await addAll(a, friends);
    await add(first, second);
    await service.call('post', `/users/${a}/blocks/users`, { body: { usernames: [first] } });
    const answer = await service.call('delete', `/contacts/users/${a}`);
    expectOrder(answer, [
      ...['action', 'application', 'path', 'uri', 'entities', 'timestamp', 'duration', 'organization'],
      'applicationName',
    ]);
    expect(answer.body).toMatchObject({ action: 'delete', path: `/contacts/users/${a}`, entities: [] });
    expect([await list(a), await list(first), await list(friends[63] as string)]).toEqual([[], [second], []]);
    const check = await service.call('post', '/contacts/check', { body: { username: first, check_list: [a] } });
    expect(check.body.entities).toEqual([{ username: a, relation: 'not_friend' }]);
    expect((await service.call('get', `/users/${a}/blocks/users`)).body.data).toEqual([first]);
    expect((await add(first, a)).status).toBe(200);
    expect((await service.call('delete', `/contacts/users/${a}`)).status).toBe(200);
    expect((await add(a, second)).status).toBe(200);
    expect([await list(a), await list(first), await list(second)]).toEqual([[second], [second], [a, first]]);
    await finishRemovals();
    expect([await list(a), await list(first), await list(second)]).toEqual([[second], [second], [a, first]]);
    expect((await service.call('delete', `/contacts/users/${friends[5]}`)).status).toBe(200);
  });

  it('200 and a contact is gone with either user, and a new owner of the name has none', async () => {
    const [a, b, c] = (await users(3)) as [string, string, string];
    await addAll(a, [b, c]);
    await deleteUser(b);
    expect(await list(a)).toEqual([c]);
    await service.register(b);
    expect([await list(a), await list(b)]).toEqual([[c], []]);
    await deleteUser(a);
    await service.register(a);
    expect([await list(a), await list(c)]).toEqual([[], []]);
  });
});
