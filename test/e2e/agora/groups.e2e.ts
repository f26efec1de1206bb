import { agoraErrors, expectError } from '../../support/agora-answers.js';
import { type RunningApp, startApp } from '../../support/start-app.js';

const missingGroup = (id: string) => ({
  status: 404,
  error: 'resource_not_found',
  description: `grpID ${id} does not exist!`,
});

describe.each([
  ['chatgroups', 'groupid', 'groupname'],
  ['chatrooms', 'id', 'name'],
] as const)('%s', (route, idMember, nameMember) => {
  let service: RunningApp;
  const create = async (owner: string, members: string[] = [], more: object = {}): Promise<string> => {
    const response = await service.call('post', `/${route}`, {
      body: { [nameMember]: 'a name', description: 'about', owner, members, ...more },
    });
    if (response.status !== 200) throw new Error(response.text);
    return (response.body.data as Record<string, string>)[idMember] as string;
  };
  const get = (id: string) => service.call('get', `/${route}/${id}`);
  const joined = async (username: string) =>
    (await service.call('get', `/users/${username}/joined_${route}`)).body as { data: unknown[]; count: number };

  beforeAll(async () => {
    service = await startApp();
    for (const username of ['owner', 'u1', 'u2', 'u3']) await service.register(username);
  });
  afterAll(() => service.stop());

  test('200 for create and get, with the owner as a member', async () => {
    const id = await create('Owner', ['u2', 'U1', 'u1'], { maxusers: 300, custom: 'c' });
    expect(id).toMatch(/^\d+$/);
    const { body } = await get(id);
    expect(body).toMatchObject({ action: 'get', count: 1, entities: [] });
    expect(body.data).toEqual([
      {
        ...{ id, name: 'a name', description: 'about', membersonly: false, allowinvites: false, maxusers: 300 },
        ...{ owner: 'owner', created: expect.any(Number) as number, custom: 'c', mute: false },
        affiliations_count: 3,
        affiliations: [{ member: 'u1' }, { member: 'u2' }, { owner: 'owner' }],
        public: true,
      },
    ]);
    expect(await joined('u1')).toMatchObject({ data: [{ [idMember]: id, [nameMember]: 'a name' }], count: 1 });
  });

  test("200 for other clients' names of the description and the approval, and for numbers and booleans as text", async () => {
    const data = async (more: object) => {
      const made = await service.call('post', `/${route}`, { body: { [nameMember]: 'n', owner: 'owner', ...more } });
      expect(made.status).toBe(200);
      return (await get((made.body.data as Record<string, string>)[idMember] as string)).body.data[0];
    };
    expect(await data({ desc: 'about', maxusers: '300' })).toMatchObject({ description: 'about', maxusers: 300 });
    expect(await data({ maxusers: 0 })).toMatchObject({ maxusers: 200 });
    const maxUsers = route === 'chatgroups' ? 5_000 : 10_000;
    expect(await data({ maxusers: maxUsers })).toMatchObject({ maxusers: maxUsers });
    const beyond = { [nameMember]: 'n', owner: 'owner', maxusers: maxUsers + 1 };
    expect((await service.call('post', `/${route}`, { body: beyond })).status).toBe(400);
    if (route === 'chatrooms') return;
    for (const closed of [{ approval: true }, { approval: 'true' }, { members_only: true }, { membersonly: 'true' }])
      expect(await data(closed)).toMatchObject({ membersonly: true });
    expect(await data({ approval: 'false', public: 'false' })).toMatchObject({ membersonly: false, public: false });
    const wrong = await service.call('post', `/${route}`, {
      body: { groupname: 'n', owner: 'owner', approval: 'yes' },
    });
    expect(wrong.body.error_description).toBe('approval must be true or false');
  });

  test('200 for several ids separated by commas, with those that are found; 404 for none', async () => {
    const ids = [await create('owner'), await create('owner', ['u1'])];
    const { body } = await get([ids[1], '1', ids[0]].join());
    expect((body.data as { id: string }[]).map(({ id }) => id)).toEqual([ids[1], ids[0]]);
    expect(body.count).toBe(2);
    expect((await get('1,2')).status).toBe(404);
    expect((await get(Array(21).fill('1').join())).status).toBe(400);
  });

  test('200 for adding and removing one member or many; repeating it changes nothing', async () => {
    const id = await create('owner', ['u1']);
    const one = await service.call('post', `/${route}/${id}/users/u2`);
    expect(one.body.data).toEqual({ result: true, action: 'add_member', [idMember]: id, user: 'u2' });
    const many = await service.call('post', `/${route}/${id}/users`, { body: { usernames: ['u2', 'u3'] } });
    expect(many.body.data).toEqual({ newmembers: ['u3'], [idMember]: id, action: 'add_member' });
    expect((await get(id)).body.data[0].affiliations_count).toBe(4);
    const removed = await service.call('delete', `/${route}/${id}/users/u2`);
    expect(removed.body.data).toEqual({ result: true, action: 'remove_member', [idMember]: id, user: 'u2' });
    const some = await service.call('delete', `/${route}/${id}/users/u2,u3`);
    expect((some.body.data as { result: boolean }[]).map((one) => one.result)).toEqual([false, true]);
    expect((await get(id)).body.data[0].affiliations_count).toBe(2);
  });

  test('200 in pages, in the order of creation', async () => {
    for (let index = 0; index < 3; index += 1) await create('u3');
    const seen: string[] = [];
    let cursor = '';
    do {
      const { body } = await service.call('get', `/${route}?limit=2&cursor=${cursor}`);
      expect(body.count).toBe((body.data as unknown[]).length);
      seen.push(...(body.data as Record<string, string>[]).map((group) => group[idMember] as string));
      cursor = (body.cursor as string | undefined) ?? '';
    } while (cursor !== '');
    expect(seen).toEqual([...new Set(seen)].sort((one, other) => Number(one) - Number(other)));
    expect(seen.length).toBeGreaterThanOrEqual(3);
  });

  test('200 for delete', async () => {
    const id = await create('owner', ['u1']);
    expect((await service.call('delete', `/${route}/${id}`)).body.data).toEqual({ success: true, [idMember]: id });
    expectError(await get(id), {
      ...{ status: 404, error: 'service_resource_not_found', description: `do not find this group:${id}` },
    });
    expectError(await service.call('delete', `/${route}/${id}`), missingGroup(id));
    expectError(await service.call('post', `/${route}/${id}/users/u1`), missingGroup(id));
  });

  test('404 for an owner or a member who does not exist, and nothing is created', async () => {
    const unknown = (name: string) => ({
      ...{ status: 404, error: 'resource_not_found', description: `username ${name} doesn't exist!` },
    });
    const body = { [nameMember]: 'n', owner: 'owner' };
    expectError(await service.call('post', `/${route}`, { body: { ...body, owner: '111' } }), unknown('111'));
    expectError(await service.call('post', `/${route}`, { body: { ...body, members: ['222'] } }), unknown('222'));
    const id = await create('owner');
    expectError(await service.call('post', `/${route}/${id}/users/333`), unknown('333'));
    expectError(await service.call('get', `/users/333/joined_${route}`), agoraErrors.missingUser);
  });

  test('403 for a full group and for removing the owner; 401 without a token; 400 for missing members', async () => {
    const id = await create('owner', ['u1'], { maxusers: 2 });
    expect((await service.call('post', `/${route}/${id}/users/u2`)).status).toBe(403);
    expect((await service.call('delete', `/${route}/${id}/users/owner`)).status).toBe(403);
    expectError(await service.call('post', `/${route}`, { body: {}, token: null }), {
      ...{ status: 401, error: 'group_authorization', description: 'token is blank!' },
    });
    expectError(await service.call('post', `/${route}`, { body: { [nameMember]: 'n' } }), agoraErrors.illegal(/owner/));
    expectError(await service.call('post', `/${route}`, { body: { owner: 'owner' } }), agoraErrors.illegal(/name is/));
  });

  test('400 for text that no database stores unchanged', async () => {
    for (const member of [nameMember, 'description', 'custom'])
      for (const text of ['a\ud800', '\udc00', 'a\0b']) {
        const body = { [nameMember]: 'n', owner: 'owner', [member]: text };
        expectError(await service.call('post', `/${route}`, { body }), agoraErrors.illegal(/well-formed/));
      }
  });

  test('200 and the groups and memberships of deleted users are gone, for one user or many', async () => {
    for (const username of ['boss', 'guest']) await service.register(username);
    const owned = await create('boss', ['u1', 'guest']);
    const other = await create('u2', ['boss', 'guest', 'u1']);
    await service.call('delete', '/users/boss');
    expect((await get(owned)).status).toBe(404);
    expect((await get(other)).body.data[0]).toMatchObject({
      affiliations_count: 3,
      affiliations: [{ member: 'guest' }, { member: 'u1' }, { owner: 'u2' }],
    });
    await service.register('boss');
    expect((await joined('boss')).data).toEqual([]);
    // All at once: owners, members and bystanders.
    await service.call('delete', '/users?limit=100');
    expect((await get(other)).status).toBe(404);
    expect((await service.call('get', `/${route}`)).body.data).toEqual([]);
  });

  test('200 or 404 when the owner is deleted concurrently, and no group is left behind', async () => {
    for (let round = 0; round < 10; round += 1) {
      await service.register('racer');
      const body = { [nameMember]: 'race', owner: 'racer' };
      const [deleted, ...created] = await Promise.all([
        service.call('delete', '/users/racer'),
        ...Array.from({ length: 4 }, () => service.call('post', `/${route}`, { body })),
      ]);
      expect(deleted.status).toBe(200);
      for (const { status } of created) expect([200, 404]).toContain(status);
      expect((await service.call('get', `/${route}`)).body.data).toEqual([]);
    }
  });
});
