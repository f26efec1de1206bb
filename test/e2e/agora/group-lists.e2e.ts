import { agoraErrors, expectError } from '../../support/agora-answers.js';
import { FixedClock } from '../../support/fixed-clock.js';
import { GroupCalls, groupErrors, groupKinds } from '../../support/group-kinds.js';
import { type RunningApp, startApp } from '../../support/start-app.js';

const forever = 4_638_873_600_000;
const clock = new FixedClock(Date.now());
let service: RunningApp;

beforeAll(async () => {
  service = await startApp({ clock });
  const users = ['owner', 'u1', 'u2', 'u3', 'u4'].map((username) => ({ username, password: 'p' }));
  await service.call('post', '/users', { body: users });
});
afterAll(() => service.stop());

describe.each(groupKinds)('$route', (kind) => {
  const { route, idBesideBlock, place } = kind;
  let groups: GroupCalls;
  beforeAll(() => void (groups = new GroupCalls(service, kind)));

  /** What every route of a list answers for an unknown group. */
  test('401 without a token, 404 for an unknown group', async () => {
    const calls = [
      ['get', 'blocks/users'],
      ['post', 'blocks/users/u1'],
      ['post', 'blocks/users', { usernames: ['u1'] }],
      ['delete', 'blocks/users/u1'],
      ['get', 'mute'],
      ['post', 'mute', { usernames: ['u1'], mute_duration: 1 }],
      ['delete', 'mute/u1'],
      ['get', 'admin'],
      ['post', 'admin', { newadmin: 'u1' }],
      ['delete', 'admin/u1'],
      ['get', 'announcement'],
      ['post', 'announcement', { announcement: 'a' }],
    ] as const;
    const foreign = await new GroupCalls(service, groupKinds.find((other) => other !== kind) as typeof kind).create(
      'owner',
      ['u1'],
    );
    for (const [method, path, body] of calls) {
      const { status } = await service.call(method, `/${route}/1/${path}`, { body, token: null });
      expect(`${status} ${path}`).toBe(`401 ${path}`);
      for (const id of ['1', 'text', foreign]) {
        const expected = method === 'get' ? groupErrors.unseen(id) : groupErrors.missing(id);
        expectError(await groups.call(method, `/${id}/${path}`, body), expected);
      }
    }
  });

  describe('group blocks', () => {
    const block = (id: string, user: string) => groups.call('post', `/${id}/blocks/users/${user}`);

    test('200 and a blocked member leaves, and cannot be added again until unblocked', async () => {
      const id = await groups.create('owner', ['u1', 'u2']);
      expect((await block(id, 'U1')).body.data).toEqual({
        ...{ result: true, action: 'add_blocks', user: 'U1', [idBesideBlock]: id },
      });
      expect(await groups.get(id)).toMatchObject({ affiliations_count: 2 });
      expect(JSON.stringify((await service.call('get', `/users/u1/joined_${route}`)).body.data)).not.toContain(id);
      const listed = await groups.call('get', `/${id}/blocks/users`);
      expect(listed.body).toMatchObject({ action: 'get', data: ['u1'], count: 1 });
      const refused = { status: 403, error: 'forbidden_op', description: /^can not join this group, reason:user: u1 / };
      expectError(await groups.call('post', `/${id}/users/u1`), refused);
      expectError(await groups.call('post', `/${id}/users`, { usernames: ['u3', 'u1'] }), refused);
      expect(await groups.get(id)).toMatchObject({ affiliations_count: 2 });
      // Repeated: nothing is left to change.
      expect((await block(id, 'u1')).status).toBe(200);
      expect((await groups.call('delete', `/${id}/blocks/users/u1`)).body.data).toEqual({
        ...{ result: true, action: 'remove_blocks', user: 'u1', [idBesideBlock]: id },
      });
      expect((await groups.call('delete', `/${id}/blocks/users/u1`)).body.data.result).toBe(false);
      expect((await groups.call('post', `/${id}/users/u1`)).status).toBe(200);
    });

    test('200 for several at once, with the outcome for each; unblocking separates them by commas', async () => {
      const id = await groups.create('owner', ['u1', 'u2']);
      const { body } = await groups.call('post', `/${id}/blocks/users`, {
        usernames: ['u1', 'u3', 'owner', 'nobody', 'u2'],
      });
      const common = { action: 'add_blocks', [idBesideBlock]: id };
      expect(body.data).toEqual([
        { ...common, result: true, user: 'u1' },
        { ...common, result: false, user: 'u3', reason: `user: u3 doesn't exist in ${place}: ${id}` },
        { ...common, result: false, user: 'owner', reason: groupErrors.owner.description },
        { ...common, result: false, user: 'nobody', reason: `user: nobody doesn't exist in ${place}: ${id}` },
        { ...common, result: true, user: 'u2' },
      ]);
      expect((await groups.data(`/${id}/blocks/users`)).toSorted()).toEqual(['u1', 'u2']);
      const removed = await groups.call('delete', `/${id}/blocks/users/u1,u3,u2`);
      expect(removed.body.data.map(({ result }: { result: boolean }) => result)).toEqual([true, false, true]);
      expect(await groups.data(`/${id}/blocks/users`)).toEqual([]);
    });

    test('200 in pages, newest first', async () => {
      const id = await groups.create('owner', ['u1', 'u2', 'u3', 'u4']);
      for (const user of ['u1', 'u2', 'u3', 'u4']) await block(id, user);
      const first = (await groups.call('get', `/${id}/blocks/users?pageSize=3`)).body;
      expect(first).toMatchObject({ data: ['u4', 'u3', 'u2'], count: 3 });
      const second = (await groups.call('get', `/${id}/blocks/users?pageSize=3&cursor=${first.cursor}`)).body;
      expect(second).toMatchObject({ data: ['u1'], count: 1 });
      expect(second).not.toHaveProperty('cursor');
      const wrong = await groups.call('get', `/${id}/mute?cursor=${first.cursor}`);
      expectError(wrong, agoraErrors.illegal(/cursor/));
    });

    test('400 for too many or none, 403 for the owner and a non-member, 404 for an unknown user', async () => {
      const id = await groups.create('owner', ['u1']);
      expectError(await block(id, 'owner'), groupErrors.owner);
      expectError(await block(id, 'u2'), {
        ...{ status: 403, error: 'forbidden_op', description: 'users [u2] are not members of this group!' },
      });
      expectError(await block(id, 'nobody'), groupErrors.unknownUser('nobody'));
      expectError(await groups.call('delete', `/${id}/blocks/users/nobody`), groupErrors.unknownUser('nobody'));
      const usernames = Array.from({ length: 61 }, (_none, index) => `n${index}`);
      expectError(await groups.call('post', `/${id}/blocks/users`, { usernames }), agoraErrors.illegal(/61.*60/));
      expectError(await groups.call('post', `/${id}/blocks/users`, {}), agoraErrors.illegal(/usernames is required/));
      expect(await groups.data(`/${id}/blocks/users`)).toEqual([]);
    });

    test('200 or 403 for a block beside additions of the same user, who ends up blocked and not a member', async () => {
      for (let round = 0; round < 5; round += 1) {
        const id = await groups.create('owner', ['u1']);
        const [blocked, ...added] = await Promise.all([
          block(id, 'u1'),
          ...Array.from({ length: 4 }, () => groups.call('post', `/${id}/users/u1`)),
        ]);
        expect(blocked.status).toBe(200);
        for (const { status } of added) expect([200, 403]).toContain(status);
        expect(await groups.get(id)).toMatchObject({ affiliations_count: 1, affiliations: [{ owner: 'owner' }] });
        expect(await groups.data(`/${id}/blocks/users`)).toEqual(['u1']);
      }
    });
  });

  describe('group mutes', () => {
    const mute = (id: string, usernames: readonly string[], mute_duration: unknown) =>
      groups.call('post', `/${id}/mute`, { usernames, mute_duration });

    test('200 for a limited time or without end, listed until it ends', async () => {
      const id = await groups.create('owner', ['u1', 'u2']);
      const now = clock.now();
      expect((await mute(id, ['u1', 'U2'], 60_000)).body.data).toEqual([
        { result: true, expire: now + 60_000, user: 'u1' },
        { result: true, expire: now + 60_000, user: 'U2' },
      ]);
      expect((await mute(id, ['u2'], '-1')).body.data).toEqual([{ result: true, expire: forever, user: 'u2' }]);
      expect((await groups.call('get', `/${id}/mute`)).body).toMatchObject({
        ...{ action: 'get', count: 2 },
        data: [
          { expire: forever, user: 'u2' },
          { expire: now + 60_000, user: 'u1' },
        ],
      });
      expect((await groups.get(id))['mute']).toBe(false);
      clock.advance(60_000);
      expect(await groups.data(`/${id}/mute`)).toEqual([{ expire: forever, user: 'u2' }]);
      // 0 lifts it, like DELETE.
      expect((await mute(id, ['u2'], 0)).status).toBe(200);
      expect(await groups.data(`/${id}/mute`)).toEqual([]);
    });

    test('200 and a mute survives its user leaving; several are lifted separated by commas', async () => {
      const id = await groups.create('owner', ['u1', 'u2']);
      await mute(id, ['u1', 'u2'], -1);
      await groups.call('delete', `/${id}/users/u1`);
      await groups.call('post', `/${id}/users/u1`);
      expect(await groups.data(`/${id}/mute`)).toHaveLength(2);
      const lifted = await groups.call('delete', `/${id}/mute/u1,u3,u2`);
      expect(lifted.body.data).toEqual([
        { result: true, user: 'u1' },
        { result: false, user: 'u3' },
        { result: true, user: 'u2' },
      ]);
      expect(await groups.data(`/${id}/mute`)).toEqual([]);
    });

    test('200 in pages, the latest end first', async () => {
      const id = await groups.create('owner', ['u1', 'u2', 'u3', 'u4']);
      for (const [index, user] of ['u1', 'u2', 'u3'].entries()) await mute(id, [user], 1_000 * (index + 1));
      await mute(id, ['u4'], 3_000);
      const first = (await groups.call('get', `/${id}/mute?pageSize=1`)).body;
      const second = (await groups.call('get', `/${id}/mute?pageSize=2&cursor=${first.cursor}`)).body;
      const third = (await groups.call('get', `/${id}/mute?pageSize=2&cursor=${second.cursor}`)).body;
      const users = [first, second, third].flatMap(({ data }) => data.map(({ user }: { user: string }) => user));
      expect(users).toEqual(['u4', 'u3', 'u2', 'u1']);
      expect(third).not.toHaveProperty('cursor');
    });

    test('400 for a non-member or an invalid duration, 403 for the owner, 404 for an unknown user: nobody is muted', async () => {
      const id = await groups.create('owner', ['u1']);
      expectError(await mute(id, ['u1', 'u2', 'u3'], 1), {
        status: 400,
        error: 'invalid_parameter',
        description: 'users [u2, u3] are not members of this group!',
      });
      expectError(await mute(id, ['u1', 'owner'], 1), groupErrors.owner);
      expectError(await mute(id, ['u1', 'nobody'], 1), groupErrors.unknownUser('nobody'));
      for (const wrong of [-2, 1.5, 'long', null, undefined])
        expectError(await mute(id, ['u1'], wrong), agoraErrors.illegal(/mute_duration/));
      expect(await groups.data(`/${id}/mute`)).toEqual([]);
      const limit = route === 'chatgroups' ? 60 : 100;
      const names = Array.from({ length: limit + 1 }, (_none, index) => `n${index}`);
      expectError(await mute(id, names, 1), agoraErrors.illegal(new RegExp(`${limit + 1}.*${limit}`)));
    });
  });

  describe('group admins', () => {
    test('200 for adding and removing, listed while they are members', async () => {
      const id = await groups.create('owner', ['u1', 'u2']);
      const made = await groups.call('post', `/${id}/admin`, { newadmin: 'u1' });
      expect(made.body.data).toEqual({ result: 'success', newadmin: 'u1' });
      await groups.call('post', `/${id}/admin`, { newadmin: 'u1' });
      await groups.call('post', `/${id}/admin`, { newadmin: 'u2' });
      expect((await groups.call('get', `/${id}/admin`)).body).toMatchObject({ data: ['u2', 'u1'], count: 2 });
      const removed = await groups.call('delete', `/${id}/admin/u2`);
      expect(removed.body.data).toEqual({ result: 'success', oldadmin: 'u2' });
      await groups.call('delete', `/${id}/users/u1`);
      await groups.call('post', `/${id}/users/u1`);
      expect(await groups.data(`/${id}/admin`)).toEqual([]);
      await groups.call('post', `/${id}/admin`, { newadmin: 'u1' });
      await groups.call('post', `/${id}/blocks/users/u1`);
      expect(await groups.data(`/${id}/admin`)).toEqual([]);
    });

    test('400 without a name, 403 for the owner and for a member who is not an admin, 404 for a non-member or an unknown user', async () => {
      const id = await groups.create('owner', ['u1']);
      const add = (body: object) => groups.call('post', `/${id}/admin`, body);
      expectError(await add({}), agoraErrors.illegal(/newadmin is required/));
      expectError(await add({ newadmin: 'owner' }), groupErrors.owner);
      expectError(await add({ newadmin: 'u2' }), {
        ...{ status: 404, error: 'resource_not_found', description: `user: u2 doesn't exist in group: ${id}` },
      });
      expectError(await add({ newadmin: 'nobody' }), groupErrors.unknownUser('nobody'));
      expectError(await groups.call('delete', `/${id}/admin/u1`), {
        ...{ status: 403, error: 'forbidden_op', description: `user:u1 is not admin of group:${id}` },
      });
      expectError(await groups.call('delete', `/${id}/admin/nobody`), groupErrors.unknownUser('nobody'));
    });

    test('403 beyond 99, even for concurrent calls', async () => {
      const names = Array.from({ length: 102 }, (_none, index) => `admin${index}`);
      if (route === 'chatgroups')
        for (const half of [names.slice(0, 51), names.slice(51)])
          await service.call('post', '/users', { body: half.map((username) => ({ username, password: 'p' })) });
      const id = await groups.create('owner', names);
      const made = await Promise.all(names.map((newadmin) => groups.call('post', `/${id}/admin`, { newadmin })));
      const full = made.filter(({ status }) => status === 403);
      expect(full).toHaveLength(3);
      expect(full[0]?.body.error_description).toBe('there can be at most 99 admins');
      expect((await groups.call('get', `/${id}/admin`)).body.count).toBe(99);
    }, 60_000);
  });

  test('200 for an announcement that is set, changed and removed; 400 for one that is too long', async () => {
    const id = await groups.create('owner');
    const announce = (announcement: unknown) => groups.call('post', `/${id}/announcement`, { announcement });
    expect(await groups.data(`/${id}/announcement`)).toEqual({ announcement: '' });
    const text = '😀'.repeat(256);
    expect((await announce(text)).body.data).toEqual({ id, result: true });
    expect(await groups.data(`/${id}/announcement`)).toEqual({ announcement: text });
    expectError(await announce('x'.repeat(513)), agoraErrors.illegal(/at most 512/));
    expectError(await announce('\ud800'), agoraErrors.illegal(/well-formed|surrogate/));
    expectError(await announce(7), agoraErrors.illegal(/must be a string/));
    expect(await groups.data(`/${id}/announcement`)).toEqual({ announcement: text });
    await announce('');
    expect(await groups.data(`/${id}/announcement`)).toEqual({ announcement: '' });
  });

  test('200 and each change happens once per Idempotency-Key', async () => {
    const id = await groups.create('owner', ['u1', 'u2']);
    const once = (method: 'post' | 'delete', path: string, body?: unknown) =>
      service.call(method, `/${route}/${id}/${path}`, { body, headers: { 'idempotency-key': `${id} ${path}` } });
    const block = await once('post', 'blocks/users/u1');
    await groups.call('delete', `/${id}/blocks/users/u1`);
    expect((await once('post', 'blocks/users/u1')).body).toEqual(block.body);
    expect(await groups.data(`/${id}/blocks/users`)).toEqual([]);
    await groups.call('post', `/${id}/admin`, { newadmin: 'u2' });
    const removed = await once('delete', 'admin/u2');
    expect((await once('delete', 'admin/u2')).body).toEqual(removed.body);
  });

  test('200 and a deleted user is gone from every list, and a new owner of the name is on none', async () => {
    for (const name of ['admin', 'blocked', 'muted']) await service.register(name);
    const id = await groups.create('owner', ['admin', 'blocked', 'muted']);
    await groups.call('post', `/${id}/admin`, { newadmin: 'admin' });
    await groups.call('post', `/${id}/blocks/users/blocked`);
    await groups.call('post', `/${id}/mute`, { usernames: ['muted'], mute_duration: -1 });
    for (const name of ['admin', 'blocked', 'muted']) {
      await service.call('delete', `/users/${name}`);
      await service.register(name);
    }
    for (const path of ['admin', 'blocks/users', 'mute']) expect(await groups.data(`/${id}/${path}`)).toEqual([]);
    expect((await groups.call('post', `/${id}/users/blocked`)).status).toBe(200);
    for (const name of ['admin', 'blocked', 'muted']) await service.call('delete', `/users/${name}`);
  });
});

describe('chatrooms/super_admin', () => {
  const call = (method: 'get' | 'post' | 'delete', path = '', body?: unknown) =>
    service.call(method, `/chatrooms/super_admin${path}`, body === undefined ? {} : { body });

  test('200 for an empty list, adding, removing, and pages', async () => {
    expect((await call('get')).body).toMatchObject({ action: 'get', data: [], count: 0 });
    for (const superadmin of ['u1', 'U2', 'u3', 'u1'])
      expect((await call('post', '', { superadmin })).body.data).toEqual({ result: 'success', resource: '' });
    expect((await call('get')).body).toMatchObject({ data: ['u3', 'u2', 'u1'], count: 3 });
    expect((await call('get', '?pagenum=2&pagesize=2')).body).toMatchObject({
      ...{ data: ['u1'], count: 1, params: { pagenum: ['2'], pagesize: ['2'] } },
    });
    expect((await call('delete', '/u2')).body.data).toEqual({ newSuperAdmin: 'u2', resource: '' });
    expect((await call('get')).body.data).toEqual(['u3', 'u1']);
  });

  test('200 and a deleted user is no longer a super admin', async () => {
    await service.register('super');
    await call('post', '', { superadmin: 'super' });
    await service.call('delete', '/users/super');
    await service.register('super');
    expect((await call('get')).body.data).not.toContain('super');
  });

  test('400 without a name, 403 for a user who is not a super admin, 404 for an unknown one', async () => {
    expectError(await call('post', '', {}), agoraErrors.illegal(/superadmin is required/));
    expectError(await call('post', '', { superadmin: 'nobody' }), groupErrors.unknownUser('nobody'));
    expectError(await call('delete', '/nobody'), groupErrors.unknownUser('nobody'));
    expectError(await call('delete', '/owner'), {
      ...{ status: 403, error: 'forbidden_op', description: 'user:owner is not admin of group:super_admin' },
    });
  });
});
