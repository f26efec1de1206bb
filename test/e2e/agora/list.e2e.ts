import { AppsService } from '../../../src/apps/apps.service.js';
import { TokensService } from '../../../src/auth/tokens.service.js';
import { registrations } from '../../factories/user.factory.js';
import { agoraErrors, entityMembers, expectError, expectOrder } from '../../support/agora-answers.js';
import { type RunningApp, startApp } from '../../support/start-app.js';

const members = ['action', 'params', 'path', 'uri', 'entities', 'timestamp', 'duration', 'cursor', 'count'];
const withoutCursor = members.filter((member) => member !== 'cursor');

describe('GET /users', () => {
  let running: RunningApp;
  let names: string[];

  beforeAll(async () => {
    running = await startApp();
  });
  afterAll(() => running.stop());

  beforeEach(async () => {
    const batch = registrations(25);
    names = batch.map(({ username }) => String(username));
    // The list is in order of registration, not of names.
    names.reverse();
    await running.call('post', '/users', { body: batch.reverse() });
  });
  afterEach(async () => {
    while ((await running.call('delete', '/users?limit=100')).body.entities.length > 0);
  });

  const list = (query: string) => running.call('get', `/users${query}`);
  const namesOf = (response: { body: any }): string[] =>
    response.body.entities.map((user: { username: string }) => user.username);

  it('200 with the examples of the seed', async () => {
    const first = await list('?limit=2');
    expect(first.status).toBe(200);
    expectOrder(first, members, entityMembers);
    expect(first.body).toMatchObject({
      action: 'get',
      params: { limit: ['2'] },
      path: '/users',
      uri: `${running.url}${running.path}/users`,
      timestamp: expect.any(Number),
      duration: expect.any(Number),
      cursor: expect.stringMatching(/^[\w-]+$/),
      count: 2,
    });
    expect(namesOf(first)).toEqual(names.slice(0, 2));
    const second = await list(`?limit=2&cursor=${first.body.cursor}`);
    expect(second.body.params).toEqual({ cursor: [first.body.cursor], limit: ['2'] });
    expect(Object.keys(second.body.params)).toEqual(['cursor', 'limit']);
    expect(namesOf(second)).toEqual(names.slice(2, 4));
  });

  it('200 with ten users without a limit, under /app-id/{app_id} too', async () => {
    expect((await list('')).body).toMatchObject({ count: 10, params: {} });
    expect((await running.call('get', `//app-id/${running.app.appId}/users`)).body.count).toBe(10);
  });

  it.each([
    ['0', 1],
    ['-5', 1],
    ['1', 1],
    ['25', 25],
    ['100', 25],
    ['101', 25],
    ['999999999', 25],
    ['', 10],
  ])('200 for the limit %j with %i users', async (limit, count) => {
    expect((await list(`?limit=${limit}`)).body.count).toBe(count);
  });

  it('200 with at most a hundred users', async () => {
    for (let batch = 0; batch < 2; batch += 1)
      await running.call('post', '/users', { body: registrations(60, `more${batch}`) });
    expect((await list('?limit=1000')).body.count).toBe(100);
  });

  it.each(['text', '1.5', '1e2', '%20', '0x10', '1;', '9999999999999999999'])('400 for the limit %s', async (limit) => {
    expectError(await list(`?limit=${limit}`), agoraErrors.illegal('limit must be a whole number from 1 to 100'));
  });

  it('400 for a repeated limit or cursor', async () => {
    expect((await list('?limit=1&limit=2')).status).toBe(400);
    const { cursor } = (await list('?limit=1')).body;
    expect((await list(`?cursor=${cursor}&cursor=${cursor}`)).status).toBe(400);
  });

  it('200 for a walk over all users, each once, and the last page has no cursor', async () => {
    const seen: string[] = [];
    let page = await list('?limit=7');
    for (; page.body.cursor !== undefined; page = await list(`?limit=7&cursor=${page.body.cursor}`)) {
      seen.push(...namesOf(page));
      expect(page.body.count).toBe(7);
    }
    seen.push(...namesOf(page));
    expect(seen).toEqual(names);
    expect(Object.keys(page.body)).toEqual(withoutCursor);
  });

  it('200 without a cursor on a last page that is exactly full', async () => {
    const first = await list('?limit=20');
    const last = await list(`?limit=5&cursor=${first.body.cursor}`);
    expect(namesOf(last)).toEqual(names.slice(20));
    expect(Object.keys(last.body)).toEqual(withoutCursor);
    expect(Object.keys((await list('?limit=25')).body)).toEqual(withoutCursor);
  });

  it('200 continues where it was after the users around the cursor are gone, and includes new ones', async () => {
    const { cursor } = (await list('?limit=10')).body;
    for (const name of names.slice(5, 15)) await running.call('delete', `/users/${name}`);
    await running.register('newcomer');
    expect(namesOf(await list(`?limit=100&cursor=${cursor}`))).toEqual([...names.slice(15), 'newcomer']);
  });

  it('200 with an empty page after the last user', async () => {
    const { cursor } = (await list('?limit=24')).body;
    await running.call('delete', `/users/${names[24]}`);
    const page = await list(`?cursor=${cursor}`);
    expect(page.body).toMatchObject({ entities: [], count: 0 });
    expect(Object.keys(page.body)).toEqual(withoutCursor);
  });

  it('200 with an empty cursor, which means none, and with unknown parameters, which are ignored', async () => {
    expect(namesOf(await list('?limit=1&cursor='))).toEqual(names.slice(0, 1));
    const { body } = await list('?activated=0&limit=1');
    expect(body.params).toEqual({ activated: ['0'], limit: ['1'] });
    expect(body.count).toBe(1);
  });

  it('400 for a cursor that we did not issue', async () => {
    const invalid = agoraErrors.illegal('cursor is not one that this app gave out');
    const { cursor } = (await list('?limit=1')).body as { cursor: string };
    const changed = cursor.startsWith('M') ? `N${cursor.slice(1)}` : `M${cursor.slice(1)}`;
    for (const wrong of [
      'x',
      'LTgzNDAxMjM3OToxTEFnNE9sNEVlaVQ0UEdhdmJNR2tB',
      `${cursor}A`,
      cursor.slice(0, -1),
      changed,
    ])
      expectError(await list(`?cursor=${encodeURIComponent(wrong)}`), invalid);
  });

  it.each(['?limit=1&x=%E9', '?%ff', '?cursor=%C3'])('400 for the query %s, which is not UTF-8', async (query) => {
    expect((await list(query)).status).toBe(400);
    expect((await running.call('delete', `/users${query}`)).status).toBe(400);
    expect((await running.call('get', `//health/live${query}`)).status).toBe(200);
  });

  it('200 and params shows a repeated query as text', async () => {
    expect((await list('?limit=1&x=%C3%A9+%2B&x=100%')).body.params).toEqual({ limit: ['1'], x: ['é +', '100%'] });
  });

  it('400 for the cursor of another app', async () => {
    const { cursor } = (await list('?limit=1')).body;
    const neighbour = await running.nest.get(AppsService).create({ org: running.app.org, name: 'neighbour' });
    const token = running.nest.get(TokensService).issueAppToken(neighbour).accessToken;
    expectError(
      await running.call('get', `//${neighbour.org}/${neighbour.name}/users?cursor=${cursor}`, { token }),
      agoraErrors.illegal('cursor is not one that this app gave out'),
    );
    const own = await running.call('get', `//${neighbour.org}/${neighbour.name}/users`, { token });
    expect(own.body).toMatchObject({ entities: [], count: 0 });
  });
});
