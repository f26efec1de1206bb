import { type RunningApp, startApp } from '../../test/support/start-app.js';
import { Database } from '../database/database.js';
import { strideRows } from './page-positions.js';
import { UserPagesRepository } from './user-pages.repository.js';

const users = 5 * strideRows;
const rowsPerInsert = 500;
const limit = 20;

describe('pages of a long list', () => {
  let service: RunningApp;
  let pages: UserPagesRepository;
  const nameOf = (id: number): string => `u${String((id * 7919) % users).padStart(6, '0')}`;

  beforeAll(async () => {
    service = await startApp();
    pages = service.nest.get(UserPagesRepository, { strict: false });
    const columns = ['app_id', 'username', 'uuid', 'id', 'activated', 'created_at', 'modified_at', 'token_epoch'];
    for (let first = 0; first < users; first += rowsPerInsert) {
      const rows = Array.from({ length: rowsPerInsert }, (_none, index) => {
        const id = first + index;
        const [app_id, username, uuid] = [service.app.id, nameOf(id), `uuid-${id}`];
        return { app_id, username, uuid, id, activated: 1, created_at: id, modified_at: id, token_epoch: 0 };
      });
      await service.nest.get(Database).write((transaction) => transaction.insert('users', columns, rows));
    }
  }, 120_000);
  afterAll(() => service.stop());

  const at = (by: 'id' | 'username', descending: boolean, offset: number) =>
    pages.usernamesAt(service.app.id, [{ by, descending }], { offset, limit, total: users });

  it.each([
    ['id', false],
    ['id', true],
    ['username', false],
    ['username', true],
  ] as const)(
    'by %s, descending %s: every page has the right users, in whatever order the pages are requested',
    async (by, down) => {
      const names = Array.from({ length: users }, (_none, id) => nameOf(id));
      const expected = by === 'username' ? names.sort() : names;
      if (down) expected.reverse();
      const middle = users / 2;
      // Both ends, the middle twice (uncached, then cached), its neighbours, then random pages.
      const offsets = [
        0,
        users - limit,
        users - 5,
        middle,
        middle,
        middle + limit,
        middle - limit,
        middle - 7,
        middle + 3,
      ];
      for (let step = 0; step < 60; step += 1) offsets.push((step * 104_729) % users);
      for (const offset of offsets) expect(await at(by, down, offset)).toEqual(expected.slice(offset, offset + limit));
      expect(await at(by, down, users)).toEqual([]);
    },
  );
});
