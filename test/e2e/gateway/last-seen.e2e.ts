import { TokensService } from '../../../src/auth/tokens.service.js';
import { Database } from '../../../src/database/database.js';
import { LastSeenService } from '../../../src/last-seen/last-seen.service.js';
import type { Session } from '../../../src/presence/session.js';
import { SessionEvents } from '../../../src/presence/session-events.js';
import { UsersService } from '../../../src/users/users.service.js';
import { aUsername } from '../../factories/user.factory.js';
import { FixedClock } from '../../support/fixed-clock.js';
import { GatewayClient } from '../../support/gateway-client.js';
import { eventually } from '../../support/message-client.js';
import { type RunningApp, startApp } from '../../support/start-app.js';
import { createDatabase } from '../../support/test-database.js';

const minuteMs = 60_000;
const nodes = globalThis.rollcallRedis ? 2 : 1;

describe('when a user was last seen', () => {
  const clock = new FixedClock(Date.now());
  const running: RunningApp[] = [];
  let service: RunningApp;

  beforeAll(async () => {
    running.push(await startApp({ clock }));
    service = running[0] as RunningApp;
    while (running.length < nodes) running.push(await startApp({ clock, database: service.database }));
  });
  afterAll(async () => {
    for (const node of running.reverse()) await node.stop();
  });

  const logIn = async (username: string, node = service) => {
    const user = await service.nest.get(UsersService).get(service.app.id, username);
    const { accessToken } = service.nest.get(TokensService).issueUserToken(service.app, user, 24 * 3_600);
    return GatewayClient.login(node.url, service.path, accessToken);
  };
  const aUser = async () =>
    (await service.register(aUsername())) as { username: string; uuid: string; created: number };
  const store = async (node = service) => node.nest.get(LastSeenService).storeDue();
  const storedOf = async ({ uuid }: { uuid: string }) =>
    (await service.nest.get(LastSeenService).stored(service.app.id, [uuid])).get(uuid) ?? null;
  const statusOf = async (name: string, node = service) =>
    (await node.nest.get(LastSeenService).statusesOf(service.app.id, [name]))[0];

  test('is stored at the login, every five minutes, and at the end of the session', async () => {
    const user = await aUser();
    const client = await logIn(user.username);
    await store();
    const loggedInAt = clock.now();
    expect(await storedOf(user)).toBe(loggedInAt);
    clock.advance(5 * minuteMs - 1);
    await store();
    expect(await storedOf(user)).toBe(loggedInAt);
    clock.advance(1);
    await store();
    expect(await storedOf(user)).toBe(loggedInAt + 5 * minuteMs);
    clock.advance(2 * minuteMs);
    await client.close();
    await eventually(async () => expect((await statusOf(user.username))?.online).toBe(false));
    await store();
    expect(await storedOf(user)).toBe(loggedInAt + 7 * minuteMs);
  });

  test('is answered by users/status of Qiscus: now, then, at the registration, never', async () => {
    const user = await aUser();
    const other = await aUser();
    clock.advance(minuteMs);
    const caller = await aUser();
    const token = (
      await service
        .call('get', `//api/v2.1/rest/get_user_token?user_id=${caller.username}`, {
          token: null,
          headers: {
            'qiscus-sdk-app-id': service.app.appId,
            'qiscus-sdk-secret': service.app.certificates[0] as string,
          },
        })
        .expect(200)
    ).body.results.token as string;
    const statuses = async () =>
      (
        await service
          .call('post', '//api/v2/sdk/users/status', {
            token: null,
            headers: {
              'qiscus-sdk-app-id': service.app.appId,
              'qiscus-sdk-token': token,
              'qiscus-sdk-user-id': caller.username,
            },
            body: { user_ids: [user.username.toUpperCase(), other.username, 'nobody'] },
          })
          .expect(200)
      ).body.results.user_status as object[];
    const expected = (status: number, at: number) => [
      { email: user.username.toUpperCase(), status, timestamp: Math.floor(at / 1_000) },
      { email: other.username, status: 0, timestamp: Math.floor(other.created / 1_000) },
      { email: 'nobody', status: 0, timestamp: 0 },
    ];
    const client = await logIn(user.username);
    clock.advance(10_000);
    expect(await statuses()).toEqual(expected(1, clock.now()));
    const leftAt = clock.now();
    await client.close();
    await eventually(async () => expect((await statusOf(user.username))?.online).toBe(false));
    clock.advance(20_000);
    // Before anything is stored as well.
    expect(await statuses()).toEqual(expected(0, leftAt));
  });

  test('on several nodes is the latest time, whichever stores last', async () => {
    const user = await aUser();
    const first = await logIn(user.username);
    const last = running.at(-1) as RunningApp;
    clock.advance(minuteMs);
    const second = await logIn(user.username, last);
    await store(last);
    const later = clock.now();
    await first.close();
    await second.close();
    await store();
    await store(last);
    expect(await storedOf(user)).toBeGreaterThanOrEqual(later);
    clock.advance(10 * minuteMs);
    await store(last);
    await store();
    expect(await storedOf(user)).toBeLessThan(clock.now());
    expect(await storedOf(user)).toBeGreaterThanOrEqual(later);
  });

  test('is stored when the node stops', async () => {
    const database = await createDatabase();
    const node = await startApp({ clock, database });
    const user = await node.register(aUsername());
    const { accessToken } = node.nest
      .get(TokensService)
      .issueUserToken(node.app, await node.nest.get(UsersService).get(node.app.id, user['uuid'] as string), 3_600);
    await GatewayClient.login(node.url, node.path, accessToken);
    await store(node);
    clock.advance(minuteMs / 2);
    await node.stop();
    const next = await startApp({ clock, database });
    const seen = await next.nest.get(LastSeenService).stored(node.app.id, [user['uuid'] as string]);
    expect([...seen.values()]).toEqual([clock.now()]);
    await next.stop();
    await database.drop();
  });

  test('goes with the user, even if they are deleted while online', async () => {
    const user = await aUser();
    await logIn(user.username);
    await store();
    expect(await storedOf(user)).not.toBeNull();
    clock.advance(2 * minuteMs);
    await service.call('delete', `/users/${user.username}`).expect(200);
    await service.register(user.username);
    await store();
    expect(
      await service.nest
        .get(Database)
        .read('SELECT at FROM user_last_seen WHERE app_id = ? AND user_uuid = ?', [service.app.id, user.uuid]),
    ).toEqual([]);
  });

  test('of 1,000 users is stored in batches, for each of them', async () => {
    const { app } = service;
    const users = service.nest.get(UsersService);
    const uuids: string[] = [];
    for (let part = 0; part < 20; part += 1) {
      const accounts = Array.from({ length: 50 }, (_none, index) => ({ username: `many-${part}-${index}` }));
      uuids.push(...(await users.register(app, accounts, true)).registered.map(({ uuid }) => uuid));
    }
    const events = service.nest.get(SessionEvents);
    for (const [index, userUuid] of uuids.entries())
      events.publish({
        type: 'opened',
        session: { appId: app.id, userUuid, username: `many-${Math.floor(index / 50)}-${index % 50}` } as Session,
      });
    await store();
    for (let start = 0; start < uuids.length; start += 500)
      expect((await service.nest.get(LastSeenService).stored(app.id, uuids.slice(start, start + 500))).size).toBe(500);
  });
});
