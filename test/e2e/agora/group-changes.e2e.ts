import { GroupsService } from '../../../src/groups/groups.service.js';
import { agoraErrors, expectError } from '../../support/agora-answers.js';
import { GroupCalls, groupErrors, groupKinds } from '../../support/group-kinds.js';
import { type RunningApp, startApp } from '../../support/start-app.js';

const users = Array.from({ length: 12 }, (_none, index) => `u${String(index).padStart(2, '0')}`);

let service: RunningApp;

beforeAll(async () => {
  service = await startApp();
  await service.call('post', '/users', { body: ['owner', ...users].map((username) => ({ username, password: 'p' })) });
});
afterAll(() => service.stop());

describe.each(groupKinds)('$route', (kind) => {
  const { route, idMember, nameMember } = kind;
  let groups: GroupCalls;
  beforeAll(() => void (groups = new GroupCalls(service, kind)));
  const put = (id: string, body: unknown) => groups.call('put', `/${id}`, body);

  test('200 and only the members in the request are changed', async () => {
    const id = await groups.create('owner', ['u00'], { description: 'about', custom: 'c', maxusers: 10 });
    const before = await groups.get(id);
    const { status, body } = await put(id, { [nameMember]: 'new', description: 'about it', maxusers: 20 });
    expect(status).toBe(200);
    expect(body).toMatchObject({ action: 'put', data: { groupname: true, description: true, maxusers: true } });
    expect(Object.keys(body.data as object)).toHaveLength(3);
    expect(await groups.get(id)).toEqual({ ...before, name: 'new', description: 'about it', maxusers: 20 });
    expect((await put(id, { desc: 'd', custom: '', maxusers: '30' })).body.data).toEqual({
      ...{ description: true, custom: true, maxusers: true },
    });
    // What Go clients send for an unset number, and Java clients for unset members.
    expect((await put(id, { name: 'n', maxusers: 0, description: null })).body.data).toEqual({ groupname: true });
    expect(await groups.get(id)).toEqual({ ...before, name: 'n', description: 'd', custom: '', maxusers: 30 });
  });

  test('200 for the booleans of a group, also as text; a room has none', async () => {
    const id = await groups.create('owner');
    const flags = { public: 'false', members_only: true, allowinvites: 'true' };
    if (route === 'chatrooms') return expectError(await put(id, flags), agoraErrors.illegal(/groupname/));
    expect((await put(id, flags)).body.data).toEqual({ public: true, membersonly: true, allowinvites: true });
    expect(await groups.get(id)).toMatchObject({ public: false, membersonly: true, allowinvites: true });
    await put(id, { approval: 'false' });
    expect(await groups.get(id)).toMatchObject({ public: false, membersonly: false });
  });

  test('400 for invalid values, 403 for a maximum below the current members, 404 for an unknown group: nothing changes', async () => {
    const id = await groups.create('owner', ['u00', 'u01']);
    const before = await groups.get(id);
    for (const [body, text] of [
      [{}, /groupname, description/],
      [{ avatar: 'a' }, /groupname, description/],
      [{ [nameMember]: 'x'.repeat(129) }, /at most 128/],
      [{ description: 'x'.repeat(513) }, /at most 512/],
      [{ custom: 'a\0' }, /well-formed/],
      [{ maxusers: 10_001 }, /from 1 to/],
      [{ maxusers: 'many' }, /whole number/],
      [{ [nameMember]: 7 }, /must be a string/],
      [{ newowner: '' }, /newowner must not be empty/],
    ] as const)
      expectError(await put(id, body), agoraErrors.illegal(text));
    expectError(await put(id, { name: 'changed', maxusers: 2 }), {
      ...{ status: 403, error: 'exceed_limit', description: /exceeds the limit/ },
    });
    expect(await groups.get(id)).toEqual(before);
    expectError(await put('1', { name: 'n' }), groupErrors.missing('1'));
  });

  test('200 with a new owner: the previous one stays a member, and the group is deleted with the new one', async () => {
    await service.register('first');
    await service.register('second');
    const id = await groups.create('first', ['second', 'u00']);
    await groups.call('post', `/${id}/admin`, { newadmin: 'second' });
    await groups.call('post', `/${id}/mute`, { usernames: ['second'], mute_duration: -1 });
    expect((await put(id, { newowner: 'Second' })).body.data).toEqual({ newowner: true });
    expect(await groups.get(id)).toMatchObject({
      ...{ owner: 'second', affiliations_count: 3 },
      affiliations: [{ member: 'first' }, { member: 'u00' }, { owner: 'second' }],
    });
    expect([await groups.data(`/${id}/admin`), await groups.data(`/${id}/mute`)]).toEqual([[], []]);
    // Repeated: nothing is left to change.
    expect((await put(id, { newowner: 'second', [nameMember]: 'his' })).body.data).toEqual({
      ...{ newowner: true, groupname: true },
    });
    await service.call('delete', '/users/first');
    expect(await groups.get(id)).toMatchObject({ status: 200, name: 'his', affiliations_count: 2 });
    await service.call('delete', '/users/second');
    expect((await groups.get(id)).status).toBe(404);
  });

  test('403 for a new owner who is not a member, 404 for an unknown one', async () => {
    const id = await groups.create('owner');
    expectError(await put(id, { newowner: 'u00' }), {
      ...{ status: 403, error: 'forbidden_op', description: `user: u00 doesn't exist in group: ${id}` },
    });
    expectError(await put(id, { newowner: 'nobody' }), groupErrors.unknownUser('nobody'));
    expect((await groups.get(id))['owner']).toBe('owner');
  });

  test('200 and ownership moves once per Idempotency-Key', async () => {
    const id = await groups.create('owner', ['u00', 'u01']);
    const transferOwnership = (newowner: string, key: string) =>
      service.call('put', `/${route}/${id}`, { body: { newowner }, headers: { 'idempotency-key': key } });
    const [first] = [await transferOwnership('u00', `to u00 ${id}`), await transferOwnership('u01', `to u01 ${id}`)];
    const again = await transferOwnership('u00', `to u00 ${id}`);
    expect(again.body).toEqual(first.body);
    expect((await groups.get(id))['owner']).toBe('u01');
  });

  test('200 or an error for a transfer during the deletion of either owner: the group has an owner or is gone, never half of it', async () => {
    for (let round = 0; round < 6; round += 1) {
      const [old, next] = [`old${route}${round}`, `next${route}${round}`];
      for (const name of [old, next]) await service.register(name);
      const id = await groups.create(old, [next, 'u00']);
      const deletedUser = round % 2 === 0 ? old : next;
      const [moved, deleted] = await Promise.all([
        put(id, { newowner: next }),
        service.call('delete', `/users/${deletedUser}`),
      ]);
      expect([200, 404]).toContain(moved.status);
      expect(deleted.status).toBe(200);
      const after = await groups.get(id);
      if (deletedUser === next || moved.status === 404) {
        // The previous owner keeps it only if the new one was deleted first.
        expect(after).toMatchObject(deletedUser === next && moved.status === 404 ? { owner: old } : { status: 404 });
        continue;
      }
      expect(after).toMatchObject({ owner: next, affiliations_count: 2 });
      expect(after['affiliations']).toEqual([{ member: 'u00' }, { owner: next }]);
    }
  });

  test('200 or 403 for a lower maximum beside new members: the group never exceeds its maximum', async () => {
    for (let round = 0; round < 4; round += 1) {
      const id = await groups.create('owner', users.slice(0, 4), { maxusers: 20 });
      const [lowered, ...added] = await Promise.all([
        put(id, { maxusers: 6 }),
        ...users.slice(4).map((user) => groups.call('post', `/${id}/users/${user}`)),
      ]);
      const { affiliations_count: members, maxusers } = await groups.get(id);
      expect(added.every(({ status }) => status === 200 || status === 403)).toBe(true);
      expect(lowered.status === 200 ? members <= 6 && maxusers === 6 : maxusers === 20).toBe(true);
    }
  });

  test('200 pages of members in version 3: names without the owner, each once', async () => {
    const id = await groups.create('owner', users);
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const query = `version=v3&limit=5${cursor === undefined ? '' : `&cursor=${cursor}`}`;
      const { body } = await groups.call('get', `/${id}/users?${query}`);
      expect(body.count).toBe((body.data as string[]).length);
      expect(body).not.toHaveProperty('params');
      seen.push(...(body.data as string[]));
      cursor = body.cursor as string | undefined;
    } while (cursor !== undefined);
    expect(seen.toSorted()).toEqual(users);
    const whole = await groups.call('get', `/${id}/users?version=v3&pagesize=12`);
    expect((whole.body.data as string[]).toSorted()).toEqual(users);
    expect(whole.body).not.toHaveProperty('cursor');
    expect(await groups.data(`/${await groups.create('owner')}/users?version=v3`)).toEqual([]);
    const otherGroup = await groups.create('owner', users);
    const other = (await groups.call('get', `/${otherGroup}/users?version=v3&limit=1`)).body.cursor as string;
    for (const wrong of ['x', other])
      expect((await groups.call('get', `/${id}/users?version=v3&cursor=${wrong}`)).status).toBe(400);
    expectError(await groups.call('get', '/1/users?version=v3'), groupErrors.unseen('1'));
  });

  test('200 numbered pages of members, the owner among them, full until the last', async () => {
    const id = await groups.create('owner', users);
    const seen: object[] = [];
    for (const [pagenum, count] of [...[1, 2, 3].map((page) => [page, 4] as const), [4, 1], [5, 0]] as const) {
      const { body } = await groups.call('get', `/${id}/users?pagenum=${pagenum}&pagesize=4`);
      expect(body).toMatchObject({ count, params: { pagenum: [String(pagenum)], pagesize: ['4'] } });
      seen.push(...(body.data as object[]));
    }
    expect(seen).toHaveLength(13);
    expect(seen).toContainEqual({ owner: 'owner' });
    expect(new Set(seen.map((member) => JSON.stringify(member))).size).toBe(13);
    expect((await groups.call('get', `/${id}/users?pagenum=2`)).body.count).toBe(3);
    expectError(await groups.call('get', `/${id}/users?pagenum=a`), agoraErrors.illegal(/pagenum must be/));
    const all = await groups.call('get', `/${id}/users`);
    expect(all.body.data.at(-1)).toEqual({ owner: 'owner' });
    expect(all.body).not.toHaveProperty('params');
    expect(all.body).not.toHaveProperty('cursor');
  });

  test('200 pages without deleted users, even while rows of them are left', async () => {
    const guests = Array.from({ length: 3 }, (_none, index) => `guest${route}${index}`);
    for (const guest of guests) await service.register(guest);
    const id = await groups.create('owner', [...guests, 'u00']);
    await service.call('delete', `/users/${guests[1]}`);
    expect((await groups.data(`/${id}/users?version=v3`)).toSorted()).toEqual([guests[0], guests[2], 'u00']);
    expect((await groups.call('get', `/${id}/users?pagenum=1&pagesize=10`)).body.count).toBe(4);
  });

  test('200 numbered pages of joined groups', async () => {
    const user = `joiner${route}`;
    await service.register(user);
    const ids: string[] = [];
    for (let index = 0; index < 5; index += 1) ids.push(await groups.create('owner', [user]));
    const page = async (query: string) => (await service.call('get', `/users/${user}/joined_${route}${query}`)).body;
    const idsOnPage = async (query: string) =>
      ((await page(query)).data as Record<string, string>[]).map((group) => group[idMember]);
    expect(await idsOnPage('')).toEqual(ids);
    expect(await idsOnPage('?pagenum=1&pagesize=2')).toEqual(ids.slice(0, 2));
    expect(await idsOnPage('?pagenum=3&pagesize=2')).toEqual(ids.slice(4));
    expect(await idsOnPage('?pagenum=4&pagesize=2')).toEqual([]);
    expect(await idsOnPage('?pagenum=1000000&pagesize=1000')).toEqual([]);
    expect(await page('?pagesize=3')).toMatchObject({ count: 3, params: { pagenum: ['1'], pagesize: ['3'] } });
    expect(await page('')).not.toHaveProperty('params');
  });
});

test('200 pages of a group with more members than one statement reads', async () => {
  const groups = new GroupCalls(service, groupKinds[1]);
  const many = Array.from({ length: 1_020 }, (_none, index) => `m${index}`);
  for (let start = 0; start < many.length; start += 60)
    await service.call('post', '/users', {
      body: many.slice(start, start + 60).map((username) => ({ username, password: 'p' })),
    });
  const id = await groups.create('owner', [], { maxusers: 2_000 });
  const add = service.nest.get(GroupsService);
  for (let start = 0; start < many.length; start += 60)
    await add.addMembers(service.app.id, 'room', id, many.slice(start, start + 60));
  const [first, second] = [1, 2].map((page) => groups.data(`/${id}/users?pagenum=${page}&pagesize=1000`));
  const names = [...(await first), ...(await second)].map((one: Record<string, string>) => Object.values(one)[0]);
  expect(new Set(names).size).toBe(1_021);
}, 60_000);
