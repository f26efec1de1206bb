import { devicesPerPlatform, devicesPerUser, type Session } from './session.js';
import type { PresenceStore } from './presence.store.js';

let apps = 0;

/** A session in an app of its own, with a new id each time. */
export function aSession(members: Partial<Session> = {}): Session {
  const sessionId = `s${apps++}`;
  return {
    appId: `contract-${process.pid}`,
    sessionId,
    userUuid: '93b1ba30-fcf8-11ec-8049-25ea280f31b8',
    username: 'ann',
    resource: `web_${sessionId}`,
    platform: 'web',
    deviceName: 'Firefox | nightly',
    node: '',
    since: 0,
    ...members,
  };
}

export const freshApp = (): string => `contract-${process.pid}-${apps++}`;

/** What every store guarantees for the sessions of one node. */
export function presenceStoreContract(makeStore: () => PresenceStore): void {
  let store: PresenceStore;
  let appId: string;
  beforeEach(() => {
    store = makeStore();
    appId = freshApp();
  });
  afterEach(() => store.release());

  const announce = async (members: Partial<Session> = {}) => {
    const announced = await store.announce(aSession({ appId, ...members }));
    if (announced === null) throw new Error('the lease was lost');
    return announced;
  };
  const ids = (sessions: readonly Session[] | undefined): string[] => (sessions ?? []).map((one) => one.sessionId);

  it('a session counts from its announcement to its withdrawal', async () => {
    expect(await store.online(appId, ['ann'])).toEqual([false]);
    const { session, replaced } = await announce();
    expect(replaced).toEqual([]);
    expect(session.node.startsWith(`${store.nodeId}.`)).toBe(true);
    expect(await store.online(appId, ['ann'])).toEqual([true]);
    expect(await store.sessions(appId, ['ann'])).toEqual([[session]]);
    await store.withdraw(session);
    expect(await store.online(appId, ['ann'])).toEqual([false]);
    expect(await store.sessions(appId, ['ann'])).toEqual([[]]);
    await store.withdraw(session);
  });

  it('a repeated announcement reports no change', async () => {
    const { session } = await announce();
    expect(await store.announce(session)).toEqual({ session, replaced: [] });
    expect(await store.sessions(appId, ['ann'])).toEqual([[session]]);
    expect(await store.page(appId, '', 10)).toEqual({ usernames: ['ann'], total: 1 });
  });

  it('answers 100 names in their order', async () => {
    await announce({ username: 'u7' });
    await announce({ username: 'u42' });
    const names = Array.from({ length: 100 }, (_, index) => `u${99 - index}`);
    const online = await store.online(appId, names);
    expect(names.filter((_, index) => online[index])).toEqual(['u42', 'u7']);
    const sessions = await store.sessions(appId, names);
    expect(names.filter((_, index) => sessions[index]?.length === 1)).toEqual(['u42', 'u7']);
  });

  it('apps are isolated', async () => {
    await announce();
    const other = freshApp();
    expect(await store.online(other, ['ann'])).toEqual([false]);
    expect(await store.page(other, '', 10)).toEqual({ usernames: [], total: 0 });
  });

  it('sessions are ordered by opening time, even within one millisecond', async () => {
    const opened = [];
    for (let index = 0; index < 8; index++) opened.push((await announce({ platform: `p${index}` })).session);
    const [sessions] = await store.sessions(appId, ['ann']);
    expect(ids(sessions)).toEqual(ids(opened));
    expect(new Set(opened.map((one) => one.since)).size).toBe(8);
  });

  it(`more than ${devicesPerPlatform} devices of a platform replace the oldest, each once`, async () => {
    const opened: Session[] = [];
    const replaced: Session[] = [];
    for (let index = 0; index < devicesPerPlatform + 2; index++) {
      const announced = await announce();
      opened.push(announced.session);
      replaced.push(...announced.replaced);
    }
    await announce({ platform: 'ios' });
    expect(replaced).toEqual(opened.slice(0, 2));
    expect((await store.sessions(appId, ['ann']))[0]).toHaveLength(devicesPerPlatform + 1);
  });

  it('a session that is announced again after being replaced by newer ones is reported as replaced', async () => {
    const { session: oldest } = await announce();
    for (let index = 0; index < devicesPerPlatform; index++) await announce();
    expect(await store.announce(oldest)).toEqual({ session: oldest, replaced: [oldest] });
    expect(ids((await store.sessions(appId, ['ann']))[0])).not.toContain(oldest.sessionId);
  });

  it(`more than ${devicesPerUser} devices of all platforms replace the oldest`, async () => {
    const opened = [];
    for (let index = 0; index < devicesPerUser; index++)
      opened.push((await announce({ platform: `p${index}` })).session);
    expect((await announce({ platform: 'one more' })).replaced).toEqual(opened.slice(0, 1));
  });

  it('the same device replaces itself', async () => {
    const { session: first } = await announce({ resource: 'web_d' });
    const { session: second, replaced } = await announce({ resource: 'web_d' });
    expect(replaced).toEqual([first]);
    expect(await store.sessions(appId, ['ann'])).toEqual([[second]]);
  });

  it('pages are sorted by name and count users, not sessions', async () => {
    for (const username of ['c', 'a', 'b', 'a', 'd-1', 'd.1', 'd@1', 'd_1']) await announce({ username });
    const all = ['a', 'b', 'c', 'd-1', 'd.1', 'd@1', 'd_1'];
    expect(await store.page(appId, '', 100)).toEqual({ usernames: all, total: 7 });
    expect(await store.page(appId, '', 2)).toEqual({ usernames: ['a', 'b'], total: 7 });
    expect(await store.page(appId, 'b', 2)).toEqual({ usernames: ['c', 'd-1'], total: 7 });
    expect(await store.page(appId, 'bb', 1)).toEqual({ usernames: ['c'], total: 7 });
    expect(await store.page(appId, 'd_1', 5)).toEqual({ usernames: [], total: 7 });
  });

  it('a user disappears from the pages with their last session', async () => {
    const { session: one } = await announce();
    const { session: two } = await announce();
    await store.withdraw(one);
    expect(await store.page(appId, '', 10)).toEqual({ usernames: ['ann'], total: 1 });
    await store.withdraw(two);
    expect(await store.page(appId, '', 10)).toEqual({ usernames: [], total: 0 });
  });

  it('lists the sessions that it holds for this node', async () => {
    const { session: one } = await announce();
    const { session: two } = await announce();
    const { session: bob } = await announce({ username: 'bob' });
    const all = () => store.kept(appId, ['bob', 'carl', 'ann']);
    expect(await all()).toEqual([new Set([bob.sessionId]), new Set(), new Set([one.sessionId, two.sessionId])]);
    await store.withdraw(one);
    await store.withdraw(bob);
    expect(await all()).toEqual([new Set(), new Set(), new Set([two.sessionId])]);
  });

  it("a walk in parts visits each of the node's users once, and no other users", async () => {
    const usernames = Array.from({ length: 450 }, (_, index) => `u${index}`);
    for (const username of usernames) await announce({ username });
    const met: string[] = [];
    let parts = 0;
    for (let after = '', first = true; first || after !== ''; first = false, parts += 1) {
      const part = await store.walk(appId, after, 4, 1);
      met.push(...part.usernames);
      after = part.next;
    }
    expect(met.sort()).toEqual([...usernames].sort());
    expect(parts).toBeLessThanOrEqual(5);
    expect(await store.walk(freshApp(), '', 4, 1)).toEqual({ usernames: [], next: '' });
  });

  it('withdrawing an unknown session does not affect the others', async () => {
    const { session } = await announce();
    await store.withdraw({ appId, username: 'ann', sessionId: '' });
    expect(await store.sessions(appId, ['ann'])).toEqual([[session]]);
    expect(await store.page(appId, '', 10)).toEqual({ usernames: ['ann'], total: 1 });
  });

  it('a renewed lease is kept, and a node that releases its lease has no sessions', async () => {
    await announce();
    expect(await store.renew([appId])).toBe(true);
    expect(store.liveNodes).toBeGreaterThanOrEqual(1);
    expect(await store.online(appId, ['ann'])).toEqual([true]);
    await store.release();
    expect(await store.online(appId, ['ann'])).toEqual([false]);
    expect(await store.page(appId, '', 10)).toEqual({ usernames: [], total: 0 });
  });
}
