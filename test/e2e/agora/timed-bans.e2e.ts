import fc from 'fast-check';
import { TokensService } from '../../../src/auth/tokens.service.js';
import { Database } from '../../../src/database/database.js';
import { PresenceService } from '../../../src/presence/presence.service.js';
import { DueBansService } from '../../../src/users/due-bans.service.js';
import { DueBansSweep } from '../../../src/users/due-bans-sweep.js';
import { UserEvents } from '../../../src/users/user-events.js';
import { UsersService } from '../../../src/users/users.service.js';
import { aUsername } from '../../factories/user.factory.js';
import { agoraErrors, expectError } from '../../support/agora-answers.js';
import { FixedClock } from '../../support/fixed-clock.js';
import { GatewayClient } from '../../support/gateway-client.js';
import { type RunningApp, startApp } from '../../support/start-app.js';

const hour = 3_600_000;
const day = 24 * hour;

describe('bans with a beginning and an end', () => {
  const clock = new FixedClock();
  let running: RunningApp;

  beforeAll(async () => {
    running = await startApp({ clock });
    // Each test decides when time is noticed.
    await running.nest.get(DueBansSweep).onModuleDestroy();
  });
  afterAll(() => running.stop());

  const ban = (name: string, body?: unknown) => running.call('post', `/users/${name}/deactivate`, { body });
  const unban = (name: string, body?: unknown) => running.call('post', `/users/${name}/activate`, { body });
  const effective = async (name: string) => (await running.call('get', `/users/${name}/ban`).expect(200)).body.data;
  const history = async (name: string) =>
    (await running.call('get', `/users/${name}/bans`).expect(200)).body.data as Record<string, unknown>[];
  const activated = async (name: string) => (await running.call('get', `/users/${name}`)).body.entities[0].activated;
  const login = (username: string) =>
    running.call('post', '/token', { body: { grant_type: 'password', username, password: 'secret' }, token: null });
  const listed = async (state: string): Promise<Record<string, any>[]> =>
    (await running.call('get', `/users?limit=100&state=${state}`).expect(200)).body.entities;
  const settle = () => running.nest.get(DueBansService).settleDue();
  const aUser = async () => (await running.register(aUsername()))['username'] as string;

  it('200 for a week: over at its very millisecond, though nothing runs', async () => {
    const username = await aUser();
    const answer = await ban(username, { reason: 'spam', note: 'ticket 1', duration: '7d' });
    expect(answer.status).toBe(200);
    expect(Object.keys(answer.body)).toEqual(['action', 'entities', 'timestamp', 'duration']);
    expect(answer.body.entities[0]).not.toHaveProperty('ban');
    const start = clock.now();
    expect(await effective(username)).toEqual({
      ...{ active: true, since: start, starts_at: start, ends_at: start + 7 * day, lifts_in_s: 7 * 86_400 },
      ...{ reason: 'spam', note: 'ticket 1', by: 'app token', source: 'agora' },
    });
    const refused = await login(username);
    expect(refused.body).toMatchObject({ error_description: 'user not activated', until: start + 7 * day });
    clock.advance(7 * day - 1);
    expect(await activated(username)).toBe(false);
    clock.advance(1);
    expect(await activated(username)).toBe(true);
    expect((await login(username)).status).toBe(200);
    expect(await effective(username)).toEqual({ active: false });
    expect(await history(username)).toMatchObject([{ state: 'ended', lifted_at: null, ends_at: start + 7 * day }]);
    expect(await settle()).toBe(1);
    expect(await history(username)).toMatchObject([{ state: 'ended', lifted_at: null, ends_at: start + 7 * day }]);
    expect(await settle()).toBe(0);
  });

  it('the error of a ban for ever is as it always was', async () => {
    const username = await aUser();
    await ban(username);
    const refused = await login(username);
    expectError(refused, agoraErrors.grant('user not activated'));
    expect(refused.body).not.toHaveProperty('until');
  });

  it('a planned ban ends sessions and tokens once, and they stay dead after its end', async () => {
    const username = await aUser();
    const { access_token: early } = (await login(username)).body as { access_token: string };
    const client = await GatewayClient.login(running.url, running.path, early);
    const answer = await ban(username, { starts_at: clock.now() + hour, duration: '1h', reason: 'later' });
    expect(answer.body.entities[0].activated).toBe(true);
    expect(await effective(username)).toMatchObject({ active: false, starts_at: clock.now() + hour });
    const told: string[] = [];
    running.nest.get(UserEvents).subscribe(({ type, user }) => user.username === username && told.push(type));
    clock.advance(hour);
    expect(await activated(username)).toBe(false);
    expect(await Promise.all([settle(), settle(), settle()])).toContain(1);
    expect(await client.next()).toEqual({ type: 'kicked', reason: 'banned', until: clock.now() + hour });
    expect(told).toEqual(['banned']);
    const { modified } = (await running.call('get', `/users/${username}`)).body.entities[0];
    expect(modified).toBeLessThan(clock.now());
    clock.advance(hour);
    await settle();
    const user = await running.nest.get(UsersService).get(running.app.id, username);
    expect(user.activated).toBe(true);
    await expect(running.nest.get(TokensService).authenticateUser(running.app, early)).rejects.toMatchObject({
      code: 'token_not_accepted',
    });
    expect((await login(username)).status).toBe(200);
  });

  it('the audit trail has one entry for each: planned, begun by the system, ended by it', async () => {
    const username = await aUser();
    const [startsAt, endsAt] = [clock.now() + hour, clock.now() + 2 * hour];
    await ban(username, { starts_at: startsAt, ends_at: endsAt, reason: 'later' });
    for (let hours = 0; hours < 2; hours += 1) {
      clock.advance(hour);
      await Promise.all([settle(), settle(), settle()]);
    }
    const entries = await running.nest
      .get(Database)
      .read<Record<string, any>>(
        'SELECT operation_id, actor, action, reason, old_values, new_values FROM audit_entries' +
          " WHERE app_id = ? AND target = ? AND action <> 'user.register' ORDER BY operation_id, seq",
        [running.app.id, username],
      );
    const [planned, begun, ended] = entries;
    expect(entries).toHaveLength(3);
    expect(new Set(entries.map(({ operation_id }) => operation_id as number)).size).toBe(3);
    expect(planned).toMatchObject({ actor: expect.stringMatching(/^app_token/), action: 'user.ban', reason: 'later' });
    expect(begun).toMatchObject({ actor: 'system:bans', action: 'user.ban', reason: null });
    expect(ended).toMatchObject({ actor: 'system:bans', action: 'user.unban', reason: null });
    expect(entries.map(({ old_values, new_values }) => [JSON.parse(old_values), JSON.parse(new_values)])).toEqual([
      [{ ban: null }, { ban: { starts_at: startsAt, ends_at: endsAt } }],
      [{ ban: { starts_at: startsAt, ends_at: endsAt } }, { ban: { starts_at: null, ends_at: endsAt } }],
      [{ ban: { starts_at: null, ends_at: endsAt } }, { ban: null }],
    ]);
  });

  it('a planned ban that passed unnoticed ends the tokens from before, and not those from after', async () => {
    const username = await aUser();
    const { access_token: early } = (await login(username)).body as { access_token: string };
    await ban(username, { starts_at: clock.now() + hour, duration: '1h' });
    clock.advance(2 * hour);
    const { access_token: late } = (await login(username)).body as { access_token: string };
    const authenticate = (token: string) => running.nest.get(TokensService).authenticateUser(running.app, token);
    for (const notice of [async () => 0, settle, settle]) {
      await notice();
      await expect(authenticate(early)).rejects.toMatchObject({ code: 'token_not_accepted' });
      expect((await authenticate(late)).user.username).toBe(username);
    }
    expect(await history(username)).toMatchObject([{ state: 'ended' }]);
  });

  it('other terms supersede a ban, the same ones change nothing, and lifting keeps who and why', async () => {
    const username = await aUser();
    await ban(username, { starts_at: clock.now() + day, reason: 'soon' });
    await ban(username, { ends_at: clock.now() + day, reason: 'now' });
    await ban(username, { ends_at: clock.now() + day, reason: 'now' });
    await ban(username, { ends_at: clock.now() + day });
    await ban(username);
    await ban(username);
    await unban(username, { reason: 'sorry' });
    expect((await history(username)).map(({ state, reason, lift_reason }) => [state, reason, lift_reason])).toEqual([
      ['lifted', null, 'sorry'],
      ['superseded', 'now', null],
      ['superseded', 'soon', null],
    ]);
    expect(await activated(username)).toBe(true);
  });

  it('400 for a planned ban of a banned user, who would be free until then', async () => {
    const username = await aUser();
    await ban(username);
    const answer = await ban(username, { starts_at: clock.now() + day });
    expect([answer.status, answer.body.error_description]).toEqual([400, expect.stringContaining('banned now')]);
    expect(await activated(username)).toBe(false);
  });

  it.each<[object, string]>([
    [{ ends_at: 1_000_000_000_000 }, 'ends_at must be in the future'],
    [{ starts_at: '2027-02-02', ends_at: '2027-02-01' }, 'ends_at must be after starts_at'],
    [{ ends_at: '2027-02-01', duration: '7d' }, 'ends_at and duration exclude each other: give one of them'],
    [
      { duration: '7 days' },
      'duration must be a length such as 7d, 36h, 1d12h or PT30M, from a second to a hundred years',
    ],
    [{ duration: 7 }, 'duration must be a string'],
    [
      { ends_at: 'tomorrow' },
      'ends_at must be Unix milliseconds such as 1798761600000, or ISO 8601 such as 2027-01-01T00:00:00Z',
    ],
    [{ starts_at: '9999-01-01' }, 'starts_at must be within a hundred years; numbers are Unix milliseconds'],
    [{ note: 'n'.repeat(1001) }, 'note must have at most 1000 characters'],
  ])('400 with the body %j, and the user is not banned', async (body, description) => {
    const username = await aUser();
    expectError(await ban(username, body), agoraErrors.illegal(description));
    expect(await history(username)).toEqual([]);
  });

  it('200 lists who is banned and who will be, with reason and end, by cursor', async () => {
    const names: string[] = [];
    while (names.length < 5) names.push(await aUser());
    const [first = '', second = '', third = '', fourth = '', fifth = ''] = names;
    await ban(first, { reason: 'one' });
    await ban(second, { duration: '1h' });
    await ban(third, { starts_at: clock.now() + hour });
    await ban(fourth, { starts_at: clock.now() + 2 * hour, reason: 'four' });
    const mine = async (state: string) =>
      (await listed(state)).filter(({ username }) => names.includes(username as string));
    expect((await mine('banned')).map(({ username }) => username)).toEqual([first, second]);
    expect((await mine('ban_planned')).map(({ username, ban: { reason } }) => [username, reason])).toEqual([
      [third, null],
      [fourth, 'four'],
    ]);
    clock.advance(hour);
    for (const notice of [async () => 0, settle]) {
      await notice();
      expect((await mine('banned')).map(({ username }) => username)).toEqual([first, third]);
      expect((await mine('ban_planned')).map(({ username }) => username)).toEqual([fourth]);
    }
    await ban(fifth, { duration: '1h' });
    const paged: string[] = [];
    for (let cursor: string | undefined = ''; cursor !== undefined;) {
      const { body } = await running.call('get', `/users?limit=1&state=banned&cursor=${cursor}`);
      paged.push(...(body.entities as { username: string }[]).map(({ username }) => username));
      cursor = body.cursor as string | undefined;
    }
    expect(paged.filter((name) => names.includes(name))).toEqual([first, third, fifth]);
    expect(new Set(paged).size).toBe(paged.length);
    expect((await running.call('get', '/users?state=gone')).status).toBe(400);
  });

  it('200 the other dialect lifts planned bans too, and bans for ever', async () => {
    const username = await aUser();
    const qiscus = (method: 'post' | 'delete', path: string) =>
      running.call(method, `//api/v2.1/rest/${path}`, {
        body: { user_ids: [username] },
        headers: { 'qiscus-sdk-app-id': running.app.appId, 'qiscus-sdk-secret': running.app.certificates[0] as string },
      });
    await ban(username, { starts_at: clock.now() + hour });
    await qiscus('post', 'reactivate_users').expect(200);
    clock.advance(hour);
    expect(await activated(username)).toBe(true);
    await ban(username, { duration: '1h' });
    await qiscus('delete', 'deactivate_users').expect(200);
    clock.advance(hour);
    expect(await activated(username)).toBe(false);
    expect(await effective(username)).toMatchObject({ active: true, ends_at: null, source: 'qiscus' });
  });

  it('what an older version writes counts: its unban, and its ban for ever', async () => {
    const username = await aUser();
    const older = (value: number) =>
      running.nest
        .get(Database)
        .write((transaction) =>
          transaction.run('UPDATE users SET activated = ? WHERE app_id = ? AND username = ?', [
            value,
            running.app.id,
            username,
          ]),
        );
    await ban(username, { duration: '1h' });
    await older(1);
    expect([await activated(username), await effective(username)]).toEqual([true, { active: false }]);
    clock.advance(hour);
    await settle();
    expect((await history(username))[0]).toMatchObject({ state: 'lifted', lifted_by: null });
    await ban(username, { starts_at: clock.now() + hour, duration: '1h' });
    await older(0);
    clock.advance(3 * hour);
    expect(await activated(username)).toBe(false);
  });

  it('at every instant all who ask get the same answer, whether or not time was noticed', async () => {
    const authenticated = (token: string) =>
      running.nest
        .get(TokensService)
        .authenticateUser(running.app, token)
        .then(
          () => true,
          () => false,
        );
    await fc.assert(
      fc.asyncProperty(
        fc.option(fc.integer({ min: 1, max: 5_000 }), { nil: null }),
        fc.option(fc.integer({ min: 1, max: 5_000 }), { nil: null }),
        fc.array(fc.boolean(), { minLength: 6, maxLength: 6 }),
        async (delay, length, notices) => {
          const username = await aUser();
          const start = clock.now();
          const startsAt = delay === null ? start : start + delay;
          const endsAt = length === null ? Infinity : startsAt + length;
          const { access_token: early } = (await login(username)).body as { access_token: string };
          const terms = { starts_at: startsAt, ...(length === null ? {} : { ends_at: endsAt }) };
          await ban(username, terms).expect(200);
          const edges = [startsAt - 1, startsAt, startsAt + 1, endsAt - 1, endsAt, endsAt + 1];
          for (const [index, edge] of edges.entries()) {
            if (edge < clock.now() || edge === Infinity) continue;
            clock.advance(edge - clock.now());
            if (notices[index] === true) await settle();
            const banned = startsAt <= edge && edge < endsAt;
            const granted = await login(username);
            const presence = running.nest.get(PresenceService);
            const user = await running.nest.get(UsersService).get(running.app.id, username);
            let kicked = false;
            const session = await presence.open(
              running.app,
              {
                ...{ userUuid: user.uuid, username, platform: 'web', device: 'd', deviceName: 'd' },
                issued: { by: 'rollcall', epoch: user.tokenEpoch },
                ...{ letInBy: 'x', expiresAtSeconds: Number.MAX_SAFE_INTEGER },
              },
              {
                kick: () => (kicked = true),
                wake: () => undefined,
                catchUp: () => undefined,
                presenceChanged: () => undefined,
              },
            );
            if (session !== null) presence.close(session.sessionId, 'left');
            expect({
              edge: edge - start,
              activated: await activated(username),
              granted: granted.status === 200,
              usable: granted.status === 200 && (await authenticated(granted.body.access_token as string)),
              opened: session !== null && !kicked,
              early: await authenticated(early),
              effective: (await effective(username)).active,
              listed: (await listed('banned')).some((one) => one['username'] === username),
            }).toEqual({
              edge: edge - start,
              ...{ activated: !banned, granted: !banned, usable: !banned, opened: !banned },
              ...{ early: edge < startsAt, effective: banned, listed: banned },
            });
          }
          await running.call('delete', `/users/${username}`);
        },
      ),
      { numRuns: globalThis.rollcallEngine === 'sqlite' ? 25 : 8 },
    );
  }, 120_000);
});
