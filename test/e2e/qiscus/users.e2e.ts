import { UsersService } from '../../../src/users/users.service.js';
import { type QiscusService, invalid, refused, startQiscus } from './qiscus-service.js';

let service: QiscusService;

beforeAll(async () => {
  service = await startQiscus();
});
afterAll(() => service.stop());

const login = (body: object) => service.rest('post', 'login_or_register').send(body);
const profile = async (userId: string) =>
  (await service.rest('get', 'user_profile').query({ user_id: userId })).body.results?.user;

async function isPasswordOf(userId: string, password: string): Promise<boolean> {
  const users = service.running.nest.get(UsersService);
  return users.authenticate(service.app.id, userId, password).then(
    () => true,
    () => false,
  );
}

describe('login_or_register', () => {
  test('200 for exactly one of 20 simultaneous registrations of a name, the others are told that it has a password', async () => {
    const calls = Array.from({ length: 20 }, (_none, index) => login({ user_id: 'Race', username: `Name ${index}` }));
    const statuses = (await Promise.all(calls)).map((response) => response.status).sort();
    expect(statuses).toEqual([200, ...Array<number>(19).fill(400)]);
    const { body } = await service.rest('get', 'get_user_list').query({ order_query: 'email asc' });
    expect(body.results.users.filter((user: any) => user.email === 'Race')).toHaveLength(1);
  });

  test('200 the user id keeps its case from the registration, and is found in any', async () => {
    await service.login('5DC8b51f@Example.com', { username: 'Mixed' });
    expect((await profile('5dc8B51F@example.COM')).user_id).toBe('5DC8b51f@Example.com');
    await service.login('5dc8b51f@example.com', { username: 'Mixed again' });
    expect(await profile('5dc8b51f@example.com')).toMatchObject({
      user_id: '5DC8b51f@Example.com',
      username: 'Mixed again',
    });
  });

  test('200 names of up to 255 characters, of every valid kind', async () => {
    for (const userId of ['a'.repeat(255), '._-@', '-', '@', '0', '_a.b-c@d'])
      expect((await service.login(userId, { username: 'x' })).user_id).toBe(userId);
  });

  test('200 a random password is generated when none is given', async () => {
    expect((await login({ user_id: 'random', username: 'x', password: '' })).status).toBe(200);
    expect(await isPasswordOf('random', '')).toBe(false);
  });

  test('200 a new password replaces the old one, which is not required', async () => {
    await service.login('renew', { password: 'first' });
    await service.login('renew', { password: 'second' });
    expect(await isPasswordOf('renew', 'first')).toBe(false);
    expect(await isPasswordOf('renew', 'second')).toBe(true);
  });

  test('200 members that are omitted, empty or null stay unchanged', async () => {
    await service.login('keep', { username: 'A', avatar_url: 'https://a', extras: { role: 'agent' } });
    await service.login('keep', { username: 'B', avatar_url: '', extras: null });
    expect(await profile('keep')).toMatchObject({ username: 'B', avatar_url: 'https://a', extras: { role: 'agent' } });
    await service.login('keep', { username: 'B', extras: {} });
    expect(await profile('keep')).toMatchObject({ avatar_url: 'https://a', extras: {} });
  });

  test('200 two concurrent changes of different members are both kept', async () => {
    await service.login('lost', { username: 'A' });
    for (let round = 0; round < 5; round += 1) {
      await Promise.all([
        service.login('lost', { username: 'A', avatar_url: `https://${round}` }),
        service.login('lost', { username: 'A', extras: { round } }),
      ]);
      expect(await profile('lost')).toMatchObject({ avatar_url: `https://${round}`, extras: { round } });
    }
  });

  test('200 repeating a login changes nothing, not even the time of the last change', async () => {
    const listed = async () => {
      const { body } = await service.rest('get', 'get_user_list').query({ show_all: 1 });
      return body.results.users.find((user: any) => user.email === 'same');
    };
    await service.login('same', { extras: { a: 1 } });
    const before = await listed();
    await service.login('same', { extras: { a: 1 } });
    expect(await listed()).toEqual(before);
  });

  test('200 extras come back as they were sent', async () => {
    const extras = { text: 'é "quoted" \\ 😀', deep: [{ a: [null, true, 1.5] }], empty: {} };
    expect((await service.login('extras', { extras })).extras).toEqual(extras);
    expect((await service.login('extras', { extras: JSON.stringify(extras) })).extras).toEqual(extras);
  });

  test('200 without a password for an existing user, if the app allows it', async () => {
    const relaxed = await startQiscus();
    try {
      const { AppsService } = await import('../../../src/apps/apps.service.js');
      await relaxed.running.nest.get(AppsService).set(relaxed.app, 'qiscus_password_optional', 'true');
      await relaxed.login('anna', { password: 'secret', username: 'A' });
      const again = await relaxed.rest('post', 'login_or_register').send({ user_id: 'anna', username: 'B' });
      expect({ status: again.status, name: again.body.results.user.username }).toEqual({ status: 200, name: 'B' });
      const users = relaxed.running.nest.get(UsersService);
      expect((await users.authenticate(relaxed.app.id, 'anna', 'secret')).username).toBe('anna');
    } finally {
      await relaxed.stop();
    }
  });
});

describe('deactivation', () => {
  const deactivate = (ids: unknown) => service.rest('delete', 'deactivate_users').send({ user_ids: ids });
  const reactivate = (ids: unknown) => service.rest('post', 'reactivate_users').send({ user_ids: ids });

  test('200 for several at once; unknown names are skipped', async () => {
    const ids = Array.from({ length: 50 }, (_none, index) => `ban-${index}`);
    for (const id of ids) await service.login(id);
    expect((await deactivate([...ids, 'nobody'])).body).toEqual({
      results: { message: 'successfully deactivate user' },
      status: 200,
    });
    for (const id of ids) expect((await profile(id)).active).toBe(false);
    expect((await reactivate(['nobody', ...ids])).body).toEqual({
      results: { message: 'successfully reactivate user' },
      status: 200,
    });
    for (const id of ids) expect((await profile(id)).active).toBe(true);
  });

  test('200 when repeated; 401 for a login; reading still works', async () => {
    await service.login('Banned');
    for (let round = 0; round < 2; round += 1) expect((await deactivate('banned')).status).toBe(200);
    const again = await login({ user_id: 'banned', username: 'x', password: 'x' });
    expect({ status: again.status, body: again.body }).toEqual({ status: 401, body: refused(401) });
    expect(await profile('banned')).toMatchObject({ active: false, username: 'Name of Banned' });
    const { body } = await service.rest('get', 'get_user_list').query({ show_all: true });
    expect(body.results.users.find((user: any) => user.email === 'Banned').active).toBe(false);
    expect((await reactivate(['BANNED'])).status).toBe(200);
    expect((await login({ user_id: 'banned', username: 'x', password: 'x' })).status).toBe(200);
  });

  test('400 shape A when nobody in the list exists', async () => {
    expect((await deactivate(['no', 'none'])).body).toEqual(invalid(['user_ids']));
  });
});

describe('the user token', () => {
  const tokenOf = (userId: string) => service.tokenOf(userId);
  const reset = async (userId: string): Promise<string> =>
    (await service.rest('post', 'reset_user_token').send({ user_id: userId })).body.results.token;

  test('200 is the same until it is reset, whatever else happens', async () => {
    await service.login('tokens');
    const token = await tokenOf('tokens');
    expect(token).toMatch(/^[A-Za-z0-9]{20}$/);
    await service.login('tokens', { password: 'another' });
    await service.rest('delete', 'deactivate_users').send({ user_ids: ['tokens'] });
    await service.rest('post', 'reactivate_users').send({ user_ids: ['tokens'] });
    expect(await tokenOf('TOKENS')).toBe(token);
    const next = await reset('tokens');
    expect(next).toMatch(/^[A-Za-z0-9]{20}$/);
    expect(next).not.toBe(token);
    expect(await tokenOf('tokens')).toBe(next);
  });

  test('200 concurrent resets leave one token', async () => {
    await service.login('resets');
    const tokens = await Promise.all(Array.from({ length: 10 }, () => reset('resets')));
    expect(tokens).toContain(await tokenOf('resets'));
  });

  test('no two users have the same, and no table stores any', async () => {
    await service.login('one');
    await service.login('two');
    const [one, two] = [await tokenOf('one'), await tokenOf('two')];
    expect(one).not.toBe(two);
    const { Database } = await import('../../../src/database/database.js');
    const rows = await service.running.nest.get(Database).read('SELECT * FROM user_profiles');
    expect(JSON.stringify(rows)).not.toContain(one);
  });
});
