import { Database } from '../../../src/database/database.js';
import { PresenceSubscriptionsService } from '../../../src/presence-subscriptions/presence-subscriptions.service.js';
import { RemovalsService } from '../../../src/removals/removals.service.js';
import { agoraErrors, expectError } from '../../support/agora-answers.js';
import { FixedClock } from '../../support/fixed-clock.js';
import { type Response, type RunningApp, startApp } from '../../support/start-app.js';

const maxSubscriptions = 3_000;

describe('presence subscriptions', () => {
  let running: RunningApp;
  const clock = new FixedClock(Date.now());
  const nowSeconds = (): number => Math.floor(clock.now() / 1_000);

  beforeAll(async () => {
    running = await startApp({ clock });
    for (const name of ['ann', 'bob', 'cat', 'dan']) await running.register(name);
  });
  afterAll(() => running.stop());

  const publish = (name: string, resource: string, status: string, ext: unknown = '') =>
    running.call('post', `/users/${name}/presence/${resource}/${status}`, { body: { ext } });
  const subscribe = (name: string, usernames: unknown, expiry: number | string = 600) =>
    running.call('post', `/users/${name}/presence/${expiry}`, { body: { usernames } });
  const read = (name: string, usernames: unknown) =>
    running.call('post', `/users/${name}/presence`, { body: { usernames } });
  const unsubscribe = (name: string, usernames: unknown) =>
    running.call('delete', `/users/${name}/presence`, { body: usernames });
  const list = async (name: string, query = '?pageNum=1&pageSize=500') =>
    (await running.call('get', `/users/${name}/presence/sublist${query}`).expect(200)).body.result as {
      totalnum: string;
      sublist: { uid: string; expiry: string }[];
    };
  const watched = async (name: string): Promise<string[]> => (await list(name)).sublist.map(({ uid }) => uid).sort();
  const rowsOf = async (table: string) =>
    running.nest.get(Database).read<any>(`SELECT * FROM ${table} WHERE app_id = ?`, [running.app.id]);
  const watchersOf = async (uuid: string): Promise<number | undefined> =>
    (await rowsOf('presence_states')).find((row) => row.user_uuid === uuid)?.watchers as number | undefined;
  const insert = (table: string, rows: Record<string, string | number>[]) =>
    running.nest.get(Database).write((transaction) => transaction.insert(table, Object.keys(rows[0] as object), rows));

  function expectResult(response: Response, status: number, result: unknown): void {
    expect({ status: response.status, ...response.body }).toEqual({ status, result });
  }

  it('200 and the latest published presence is readable by any user of the app', async () => {
    expectResult(await publish('ann', 'android', '1', 'at work'), 200, 'ok');
    expectResult(await publish('ANN', 'web_a~1', 'busy', 'läuft 🏃'), 200, 'ok');
    expectResult(await publish('ann', 'android', '0', ''), 200, 'ok');
    expectResult(await read('bob', ['Ann', 'cat', 'nobody']), 200, [
      { uid: 'Ann', last_time: '0', ext: '', status: { android: '0', 'web_a~1': 'busy' } },
      { uid: 'cat', last_time: '0', ext: '', status: {} },
      { uid: 'nobody', last_time: '0', ext: '', status: {} },
    ]);
    for (let index = 0; index < 32; index += 1) await publish('dan', `r${index}`, '1', 'many');
    await publish('dan', 'r0', '2', 'last');
    await publish('dan', 'r32', '1', 'last');
    const [{ ext, status }] = (await read('bob', ['dan'])).body.result as [{ ext: string; status: object }];
    expect(ext).toBe('last');
    expect(Object.keys(status)).toEqual([
      ...Array.from({ length: 30 }, (_none, index) => `r${index + 2}`),
      'r0',
      'r32',
    ]);
  });

  it('200 for a subscription, with the presence of each user and its expiry', async () => {
    await publish('ann', 'web', '1', 'here');
    const answer = await subscribe('bob', ['Ann', 'nobody', 'ann']);
    const expiry = String(nowSeconds() + 600);
    const [first] = (answer.body as { result: object[] }).result;
    expect(Object.keys(first as object)).toEqual(['uid', 'last_time', 'expiry', 'ext', 'status']);
    expect((answer.body as { result: object[] }).result).toMatchObject([
      { uid: 'Ann', expiry, ext: 'here', status: { web: '1' } },
      { uid: 'nobody', expiry, ext: '', status: {} },
      { uid: 'ann', expiry },
    ]);
    expect(await list('bob')).toEqual({ totalnum: '1', sublist: [{ uid: 'ann', expiry }] });
    // Nothing was stored for the name that nobody has.
    await running.register('nobody');
    expect(await watched('bob')).toEqual(['ann']);
    await running.call('delete', '/users/nobody');
  });

  it('200 for pages of the list, and for unsubscribing with a bare list', async () => {
    await subscribe('cat', ['ann', 'bob', 'dan'], 2_592_000).expect(200);
    const pages = [];
    for (const page of [1, 2, 3]) pages.push(await list('cat', `?pageNum=${page}&pageSize=2`));
    expect(pages.map(({ totalnum, sublist }) => [totalnum, sublist.length])).toEqual([
      ['3', 2],
      ['3', 1],
      ['3', 0],
    ]);
    expect(pages.flatMap(({ sublist }) => sublist.map(({ uid }) => uid)).sort()).toEqual(['ann', 'bob', 'dan']);
    expect((await list('cat', '')).sublist).toHaveLength(1);
    expect((await list('cat', '?pageNum=0&pageSize=9999')).sublist).toHaveLength(3);
    expectResult(await unsubscribe('cat', ['Dan', 'nobody', 'cat']), 200, 'ok');
    expectResult(await unsubscribe('cat', ['dan']), 200, 'ok');
    expect(await watched('cat')).toEqual(['ann', 'bob']);
  });

  it('400 in the words of this service', async () => {
    const names = Array.from({ length: 101 }, (_none, index) => `u${index}`);
    for (const [answer, result] of [
      [await subscribe('ann', ['bob', 'ANN']), "you can't sub yourself"],
      [await subscribe('ann', names), 'too many sub presence'],
      [await read('ann', names), 'too many get presences'],
      [await unsubscribe('ann', names), 'too many unsub presences'],
      [await subscribe('ann', []), 'usernames is empty'],
      [await read('ann', undefined), 'usernames is empty'],
      [await unsubscribe('ann', []), 'usernames is empty'],
      [await unsubscribe('ann', { usernames: ['bob'] }), 'the body must be a list of users'],
      [await unsubscribe('ann', [1]), 'the body must be a list of users'],
      [await subscribe('ann', ['bob'], 0), 'expiry must be a whole number of seconds from 1 to 2592000'],
      [await subscribe('ann', ['bob'], 2_592_001), 'expiry must be a whole number of seconds from 1 to 2592000'],
      [await subscribe('ann', ['bob'], 'android_1'), 'expiry must be a whole number of seconds from 1 to 2592000'],
      [await publish('ann', 'web', '1', null), 'ext cannot be null'],
      [await publish('ann', 'web', '1', 1), 'ext must be a string'],
      [await publish('ann', 'web', '1', 'é'.repeat(513)), 'ext is too big'],
      [await publish('ann', 'w%20b', '1'), 'resource not exist'],
      [await publish('ann', 'web', 'a%20b'), 'set presence failed: the status must be 1 to 32 of A-Z a-z 0-9 _ -'],
      [await publish('ann', 'web', '1', '\ud800'), 'ext must be well-formed Unicode text'],
    ] as const)
      expectResult(answer, 400, result);
    for (const query of ['?pageNum=x', '?pageSize=1.5', '?pageNum=1&pageNum=2'])
      expect((await running.call('get', `/users/ann/presence/sublist${query}`)).status).toBe(400);
    await publish('ann', 'web', '1', 'é'.repeat(512)).expect(200);
    await read('ann', names.slice(1)).expect(200);
  });

  it('401 without a token, and 404 for an unknown user, in the words of the whole dialect', async () => {
    const to = '/users/nobody/presence';
    const body = { usernames: ['ann'] };
    const calls = [
      ['post', `${to}/web/1`, { ext: '' }],
      ['post', `${to}/60`, body],
      ['post', to, body],
      ['delete', to, ['ann']],
      ['get', `${to}/sublist`, undefined],
    ] as const;
    for (const [method, path, sent] of calls) {
      expectError(await running.call(method, path, { token: null, body: sent }), agoraErrors.noToken);
      expectError(await running.call(method, path, { body: sent }), agoraErrors.missingUser);
    }
  });

  it('200 once per Idempotency-Key', async () => {
    const headers = { 'idempotency-key': 'presence-1' };
    const call = () => running.call('post', '/users/cat/presence/web/9', { body: { ext: 'once' }, headers });
    await call().expect(200);
    await publish('cat', 'web', '8', 'then');
    expect((await call()).headers['idempotency-replayed']).toBe('true');
    expect((await read('ann', ['cat'])).body.result[0]).toMatchObject({ ext: 'then', status: { web: '8' } });
  });

  it('200 and a subscription expires by itself, is renewed by another, and is pruned', async () => {
    const { uuid } = await running.register('timed');
    await subscribe('ann', ['timed'], 60);
    await subscribe('bob', ['timed'], 60);
    await subscribe('cat', ['timed'], 3_600);
    clock.advance(30_000);
    await subscribe('ann', ['timed'], 60);
    clock.advance(31_000);
    expect(await watched('bob')).toEqual(['ann']);
    expect(await watched('ann')).toEqual(['timed']);
    expect(await watchersOf(uuid)).toBe(3);
    const { nest } = running;
    const pruned = await Promise.all([1, 2].map(() => nest.get(PresenceSubscriptionsService).pruneExpired()));
    expect(Math.max(...pruned)).toBeGreaterThan(0);
    expect(await watchersOf(uuid)).toBe(2);
    expect(await nest.get(PresenceSubscriptionsService).pruneExpired()).toBe(0);
    await unsubscribe('ann', ['timed']).expect(200);
    await unsubscribe('ann', ['timed']).expect(200);
    expect(await watchersOf(uuid)).toBe(1);
  });

  it('400 over 3,000 subscriptions of or to a user, even for concurrent calls', async () => {
    const app_id = running.app.id;
    const [many, popular] = [await running.register('many'), await running.register('popular')];
    const expires_at = clock.now() + 600_000;
    const own = Array.from({ length: maxSubscriptions - 1 }, (_none, index) => ({
      ...{ app_id, subscriber_uuid: many.uuid as string, target_uuid: `none-${index}`, expires_at },
    }));
    for (let start = 0; start < own.length; start += 500)
      await insert('presence_subscriptions', own.slice(start, start + 500));
    const [one, other] = await Promise.all([subscribe('many', ['ann']), subscribe('many', ['bob'])]);
    expect([one.status, other.status].sort()).toEqual([200, 400]);
    expectResult(one.status === 400 ? one : other, 400, 'too many sub presence');
    // Users who are already watched may be renewed.
    expect((await subscribe('many', [one.status === 200 ? 'ann' : 'bob'])).status).toBe(200);
    await insert('presence_states', [
      {
        app_id,
        user_uuid: popular.uuid as string,
        statuses: '{}',
        ext: '',
        last_online_at: 0,
        watchers: maxSubscriptions - 1,
      },
    ]);
    const [first, second] = await Promise.all([subscribe('ann', ['popular']), subscribe('bob', ['popular'])]);
    expect([first.status, second.status].sort()).toEqual([200, 400]);
    expect(await watchersOf(popular.uuid as string)).toBe(maxSubscriptions);
    for (const name of ['many', 'popular']) await running.call('delete', `/users/${name}`).expect(200);
    await running.nest.get(RemovalsService).finish({ all: true });
    const left = (await rowsOf('presence_subscriptions')).filter((row) =>
      [row.subscriber_uuid, row.target_uuid].some((uuid) => [many.uuid, popular.uuid].includes(uuid)),
    );
    expect(left).toEqual([]);
  }, 30_000);

  it('200 and a deletion removes subscriptions in both directions, and a new owner of the name inherits none', async () => {
    const { uuid } = await running.register('gone');
    await publish('gone', 'web', '1', 'old');
    const before = await watchersOf((await running.call('get', '/users/dan')).body.entities[0].uuid as string);
    await subscribe('gone', ['dan']);
    await subscribe('ann', ['gone', 'cat']);
    await running.call('delete', '/users/gone').expect(200);
    expect(await watched('ann')).toEqual(['cat']);
    const next = await running.register('gone');
    expect(next.uuid).not.toBe(uuid);
    expect(await watched('gone')).toEqual([]);
    expect(await watched('ann')).toEqual(['cat']);
    expect((await read('ann', ['gone'])).body.result).toEqual([{ uid: 'gone', last_time: '0', ext: '', status: {} }]);
    await running.nest.get(RemovalsService).finish({ all: true });
    const rows = [...(await rowsOf('presence_subscriptions')), ...(await rowsOf('presence_states'))];
    expect(JSON.stringify(rows)).not.toContain(uuid);
    expect(await watchersOf((await running.call('get', '/users/dan')).body.entities[0].uuid as string)).toBe(before);
  });

  it('200 and the watcher counts are exact after concurrent changes', async () => {
    const names = ['ann', 'bob', 'cat', 'dan'];
    await Promise.all(
      names.flatMap((name) => {
        const others = names.filter((other) => other !== name);
        return [
          subscribe(name, others),
          unsubscribe(name, [others[0]]),
          subscribe(name, [others[1]]),
          unsubscribe(name, others.slice(1)),
        ];
      }),
    );
    const subscriptions = await rowsOf('presence_subscriptions');
    for (const { user_uuid: uuid, watchers } of await rowsOf('presence_states'))
      expect([uuid, watchers]).toEqual([uuid, subscriptions.filter((row) => row.target_uuid === uuid).length]);
  });
});
