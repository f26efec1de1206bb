import { Database } from '../../../src/database/database.js';
import { type QiscusService, startQiscus } from './qiscus-service.js';

let service: QiscusService;
const names = Array.from({ length: 45 }, (_none, index) => `user-${String((index * 7) % 45).padStart(2, '0')}`);

beforeAll(async () => {
  service = await startQiscus();
  for (const name of names) await service.login(name, { username: name.toUpperCase().replace('USER', 'N') });
});
afterAll(() => service.stop());

async function list(query: object): Promise<{ meta: object; emails: string[] }> {
  const { body } = await service.rest('get', 'get_user_list').query(query);
  return { meta: body.results.meta, emails: body.results.users.map((user: any) => user.email) };
}

const newestFirst = [...names].reverse();

test('200 newest first, 20 per page, by GET and by POST', async () => {
  expect(await list({})).toEqual({ meta: { total_data: 45, total_page: 2 }, emails: newestFirst.slice(0, 20) });
  const { body } = await service.rest('post', 'get_user_list').send({ page: 3 });
  expect(body.results.users.map((user: any) => user.email)).toEqual(newestFirst.slice(40));
});

test.each<[object, number, number]>([
  [{ limit: 100 }, 0, 45],
  [{ limit: 101 }, 20, 0],
  [{ limit: 0 }, 20, 0],
  [{ limit: -3 }, 20, 0],
  [{ limit: 'many' }, 20, 0],
  [{ limit: '' }, 20, 0],
  [{ limit: 2.5 }, 20, 0],
  [{ page: 0, limit: 10 }, 10, 0],
  [{ page: -1, limit: 10 }, 10, 0],
  [{ page: 'x', limit: 10 }, 10, 0],
])('200 %j: values out of range mean the default', async (query, size, all) => {
  expect((await list(query)).emails).toEqual(newestFirst.slice(0, size === 0 ? all : size));
});

test('200 a page beyond the last one is empty', async () => {
  for (const page of [4, 1_000_000, 999_999_999_999_999]) {
    expect(await list({ page })).toEqual({ meta: { total_data: 45, total_page: 2 }, emails: [] });
  }
});

test('200 the pages of every order contain each user once', async () => {
  const sorted = [...names].sort();
  for (const [order, expected] of [
    ['created_at desc nulls last', newestFirst],
    ['created_at asc', names],
    ['id', names],
    ['ID DESC', newestFirst],
    ['email asc, created_at desc', sorted],
    ['email desc', [...sorted].reverse()],
    ['username asc', sorted],
    ['name desc nulls first', [...sorted].reverse()],
    ['updated_at desc, id desc', newestFirst],
  ] as const) {
    const pages = await Promise.all(
      [1, 2, 3, 4, 5, 6, 7, 8].map((page) => list({ page, limit: 6, order_query: order })),
    );
    expect(pages.flatMap((page) => page.emails)).toEqual(expected);
  }
});

test('200 show_all lists every user, in the requested order', async () => {
  for (const flag of ['true', '1', 'TRUE'])
    expect(await list({ show_all: flag, limit: 3 })).toEqual({
      meta: { total_data: 45, total_page: 1 },
      emails: newestFirst,
    });
  expect((await list({ show_all: 0, limit: 3 })).emails).toHaveLength(3);
});

test('200 the count reflects a deletion at once', async () => {
  await service.login('gone');
  expect((await list({})).meta).toEqual({ total_data: 46, total_page: 2 });
  const { UsersService } = await import('../../../src/users/users.service.js');
  await service.running.nest.get(UsersService).delete(service.app.id, 'gone');
  expect(await list({})).toEqual({ meta: { total_data: 45, total_page: 2 }, emails: newestFirst.slice(0, 20) });
  expect(await service.running.nest.get(Database).read("SELECT * FROM user_profiles WHERE user_id = 'gone'")).toEqual(
    [],
  );
});
