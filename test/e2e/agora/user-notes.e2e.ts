import { Database } from '../../../src/database/database.js';
import { RemovalsService } from '../../../src/removals/removals.service.js';
import { maxNotes, UserNotesService } from '../../../src/user-notes/user-notes.service.js';
import { aUsername } from '../../factories/user.factory.js';
import { expectError, expectOrder } from '../../support/agora-answers.js';
import { FixedClock } from '../../support/fixed-clock.js';
import { type RunningApp, startApp } from '../../support/start-app.js';

describe('users/{username}/notes', () => {
  const clock = new FixedClock(Date.now());
  let service: RunningApp;
  let name: string;
  let uuid: string;
  const add = (body: unknown, headers = {}) => service.call('post', `/users/${name}/notes`, { body, headers });
  const list = (query = '') => service.call('get', `/users/${name}/notes${query}`);

  beforeAll(async () => {
    service = await startApp({ clock });
  });
  afterAll(() => service.stop());
  beforeEach(async () => {
    name = aUsername();
    uuid = (await service.register(name))['uuid'] as string;
  });

  test('200 with the note, and later with the newest first, page by page', async () => {
    const first = await add({ text: 'Ünïcode 😀\n2', author: 'joe' });
    expect(first.status).toBe(200);
    expectOrder(first, ['action', 'path', 'uri', 'timestamp', 'data', 'duration']);
    const { id } = first.body.data as { id: string };
    expect(first.body.data).toEqual({ id, author: 'joe', text: 'Ünïcode 😀\n2', created: clock.now() });
    clock.advance(1_000);
    await add({ text: 'second' }).expect(200);
    clock.advance(1_000);
    await add({ text: 'third', author: null }).expect(200);
    const page = await list('?limit=2');
    expect(page.body).toMatchObject({
      data: [
        { text: 'third', author: 'app token', created: clock.now() },
        { text: 'second', author: 'app token' },
      ],
      count: 2,
    });
    const rest = await list(`?limit=2&cursor=${page.body.cursor}`);
    expect(rest.body).toMatchObject({ data: [first.body.data], count: 1 });
    expect(rest.body).not.toHaveProperty('cursor');
    expect((await service.call('get', `/users/${uuid}/notes`)).body.count).toBe(3);
  });

  test('200 once for one Idempotency-Key', async () => {
    const headers = { 'idempotency-key': aUsername() };
    const [one, other] = [await add({ text: 'once' }, headers), await add({ text: 'once' }, headers)];
    expect(other.text).toBe(one.text);
    expect((await list()).body.count).toBe(1);
  });

  test('400 for no text, no author, too much of both, and a cursor of another user', async () => {
    for (const body of [
      ...[{}, { text: '' }, { text: ' ' }, { text: 1 }, { text: null }, { text: 'x'.repeat(4_001) }],
      ...[{ text: 'x', author: '' }, { text: 'x', author: 'x'.repeat(256) }, { text: '\0' }],
    ])
      expect((await add(body)).status).toBe(400);
    await add({ text: '😀'.repeat(4_000), author: 'x'.repeat(255) }).expect(200);
    await add({ text: 'second' }).expect(200);
    const { cursor } = (await list('?limit=1')).body as { cursor: string };
    const other = aUsername();
    await service.register(other);
    expect((await service.call('get', `/users/${other}/notes?cursor=${cursor}`)).status).toBe(400);
    expect((await list('?cursor=x')).status).toBe(400);
  });

  test('404 when the user is unknown', async () => {
    for (const method of ['get', 'post'] as const)
      expect(
        (await service.call(method, '/users/nobody/notes', method === 'post' ? { body: { text: 'x' } } : {})).status,
      ).toBe(404);
  });

  test('403 when the user has as many as are kept, even with two at once', async () => {
    const notes = service.nest.get(UserNotesService);
    for (let index = 0; index < maxNotes - 1; index += 1) await notes.add(service.app.id, name, 'joe', String(index));
    const both = await Promise.all([add({ text: 'last' }), add({ text: 'last' })]);
    expect(both.map(({ status }) => status).sort()).toEqual([200, 403]);
    expectError(await add({ text: 'more' }), {
      ...{ status: 403, error: 'exceed_limit', description: `a user can have at most ${maxNotes} notes` },
    });
  });

  test('200 and they are gone with the user, also for the next one of that name', async () => {
    const notes = service.nest.get(UserNotesService);
    for (let index = 0; index < 400; index += 1) await notes.add(service.app.id, name, 'joe', String(index));
    await service.call('delete', `/users/${name}`).expect(200);
    await service.register(name);
    expect((await list()).body.count).toBe(0);
    await service.nest.get(RemovalsService).finish({ all: true });
    const rows = await service.nest
      .get(Database)
      .read('SELECT id FROM user_notes WHERE app_id = ? AND user_uuid = ?', [service.app.id, uuid]);
    expect(rows).toEqual([]);
  });

  test('200 and the trail says who wrote it to whom, without its text', async () => {
    await add({ text: 'confidential', author: 'joe' }).expect(200);
    const rows = await service.nest
      .get(Database)
      .read('SELECT * FROM audit_entries WHERE app_id = ? AND target_uuid = ? AND action = ?', [
        ...[service.app.id, uuid, 'user.add_note'],
      ]);
    expect(rows).toHaveLength(1);
    expect(rows).toMatchObject([{ target: name }]);
    expect(JSON.stringify(rows)).toContain('joe');
    expect(JSON.stringify(rows)).not.toContain('confidential');
  });
});
