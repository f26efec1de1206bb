import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { aBootstrapApp } from '../factories/app.factory.js';
import { Cluster } from '../support/cluster.js';
import { GatewayClient, until } from '../support/gateway-client.js';
import { rowsOf } from '../support/rows.js';
import { removeLimits, ServiceProcess } from '../support/service-process.js';
import { createDatabase, type TestDatabase } from '../support/test-database.js';
import { tokenOf } from '../support/tokens.js';

/** Until a planned ban begins or one ends: time for some attempts before it. */
const soonMs = 3_000;
/** How long attempts go on after that. */
const afterwardsMs = 1_500;
const pauseMs = 25;
const hourMs = 3_600_000;
const nodes = [0, 1, 2] as const;

interface Attempt {
  /** Unix milliseconds. */
  readonly sentAt: number;
  readonly answeredAt: number;
  readonly accepted: boolean;
}

const aName = (): string => `timed-${randomBytes(4).toString('hex')}`;
const untilTime = (ms: number): Promise<void> => sleep(Math.max(0, ms - Date.now()));

/** Whether the gateway takes a token; the session ends at once. */
async function logsIn({ url }: ServiceProcess, path: string, token: string): Promise<boolean> {
  const client = await GatewayClient.connect(url, path);
  client.send({ type: 'login', token });
  const accepted = (await client.next()).type === 'ready';
  await client.close();
  return accepted;
}

/** What the database has about a user: its bans, and the changes that time has made. */
async function storedOf(databaseUrl: string, username: string) {
  const bans = await rowsOf<{ state: number | null; outcome: string | null }>(
    databaseUrl,
    `SELECT b.state, b.outcome FROM users u, bans b
     WHERE u.username = '${username}' AND b.app_id = u.app_id AND b.user_uuid = u.uuid`,
  );
  const changes = await rowsOf<{ action: string }>(
    databaseUrl,
    `SELECT action FROM audit_entries WHERE target = '${username}' AND actor = 'system:bans' ORDER BY at`,
  );
  return { bans, changes: changes.map(({ action }) => action) };
}

describe('bans that begin and end on three nodes', () => {
  let cluster: Cluster;
  const clients: GatewayClient[] = [];
  beforeAll(async () => {
    cluster = await Cluster.start(nodes.length);
  }, 60_000);
  afterAll(async () => {
    for (const client of clients) client.socket.terminate();
    await cluster?.stop();
  });

  const ban = async (username: string, body: object): Promise<void> => {
    const { status } = await cluster.call(cluster.node(0), 'POST', `/users/${username}/deactivate`, body);
    expect(status).toBe(200);
  };
  /** One after the other on a node: until a while after an instant, and on a slow machine until a few were sent after it. */
  const attempts = async (instantMs: number, attempt: () => Promise<boolean>): Promise<Attempt[]> => {
    const made: Attempt[] = [];
    const isEnough = (): boolean =>
      Date.now() >= instantMs + afterwardsMs && made.filter(({ sentAt }) => sentAt >= instantMs).length > 8;
    for (; !isEnough(); await sleep(pauseMs)) {
      const sentAt = Date.now();
      const accepted = await attempt();
      made.push({ sentAt, answeredAt: Date.now(), accepted });
    }
    return made;
  };

  it('a planned ban begins while its user keeps reconnecting: every session ends, none opens, and it is recorded once', async () => {
    const username = aName();
    await cluster.register([username]);
    const startsAt = Date.now() + soonMs;
    await ban(username, { starts_at: startsAt, ends_at: startsAt + hourMs });
    const made = await Promise.all(
      nodes.map((index) => {
        let number = 0;
        return attempts(startsAt, async () => {
          const client = await GatewayClient.connect(cluster.node(index).url, cluster.path);
          clients.push(client);
          client.send({ type: 'login', token: cluster.token(username), platform: `node${index}x${(number += 1)}` });
          const accepted = (await client.next()).type === 'ready';
          // Every other session stays open.
          if (accepted && number % 2 === 0) await client.close();
          return accepted;
        });
      }),
    );
    for (const ofNode of made) {
      expect(ofNode.filter(({ accepted }) => accepted).length).toBeGreaterThan(5);
      const late = ofNode.filter(({ sentAt }) => sentAt >= startsAt);
      expect(late.length).toBeGreaterThan(5);
      expect(late.filter(({ accepted }) => accepted)).toEqual([]);
    }
    const closed = await Promise.all(clients.map((client) => client.closed));
    const kicked = clients.flatMap(({ frames }, index) =>
      frames.some(({ type }) => type === 'kicked') ? (closed[index] as { at: number }) : [],
    );
    const clockAhead = Date.now() - performance.now();
    const lastMs = Math.max(...kicked.map(({ at }) => at)) + clockAhead - startsAt;
    console.info(`${kicked.length} sessions were ended; the last one, in ms after the beginning:`, lastMs);
    expect(kicked.length).toBeGreaterThan(10);
    expect(lastMs).toBeLessThan(1_000);
    for (const index of nodes) expect(await cluster.online(cluster.node(index), [username])).toEqual(new Set());
    expect(await storedOf(cluster.databaseUrl, username)).toEqual({
      bans: [{ state: 1, outcome: null }],
      changes: ['user.ban'],
    });
  }, 30_000);

  it('a ban ends while its user keeps logging in: refused before that instant and accepted from then on, on every node', async () => {
    const username = aName();
    await cluster.register([username]);
    const endsAt = Date.now() + soonMs;
    await ban(username, { ends_at: endsAt });
    const made = await Promise.all(
      nodes.map((index) => attempts(endsAt, () => logsIn(cluster.node(index), cluster.path, cluster.token(username)))),
    );
    for (const ofNode of made) {
      const early = ofNode.filter(({ answeredAt }) => answeredAt < endsAt);
      const late = ofNode.filter(({ sentAt }) => sentAt >= endsAt);
      expect(Math.min(early.length, late.length)).toBeGreaterThan(5);
      expect(early.filter(({ accepted }) => accepted)).toEqual([]);
      expect(late.filter(({ accepted }) => !accepted)).toEqual([]);
    }
    const stored = { bans: [{ state: null, outcome: 'ended' }], changes: ['user.unban'] };
    await until(async () => (await storedOf(cluster.databaseUrl, username)).changes.length > 0, 2_000, 50);
    expect(await storedOf(cluster.databaseUrl, username)).toEqual(stored);
  }, 30_000);
});

describe('bans that begin and end while the service is down', () => {
  const app = aBootstrapApp();
  let database: TestDatabase;
  let service: ServiceProcess;
  beforeAll(async () => {
    database = await createDatabase('sqlite');
    service = await ServiceProcess.start(environment());
    await removeLimits(app, environment());
  }, 60_000);
  afterAll(async () => {
    await service?.kill();
    await database?.drop();
  });

  const environment = () => ({ DATABASE_URL: database.url, BOOTSTRAP_APPS: app.text, PASSWORD_COST: 'm=8,t=1,p=1' });
  const call = async (path: string, body: object) => {
    const response = await fetch(`${service.url}/${app.org}/${app.name}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${tokenOf(app)}` },
      body: JSON.stringify(body),
    });
    return { status: response.status, body: (await response.json()) as Record<string, any> };
  };
  const login = (username: string) => call('/token', { grant_type: 'password', username, password: 'secret' });

  it('after a kill -9 and a later start they have begun and ended, each recorded once', async () => {
    const [begins, passes] = [aName(), aName()];
    const users = [begins, passes].map((username) => ({ username, password: 'secret' }));
    expect((await call('/users', users)).status).toBe(200);
    const early = (await login(passes)).body['access_token'] as string;
    const isTaken = (token: string) => logsIn(service, `/${app.org}/${app.name}`, token);
    expect(await isTaken(early)).toBe(true);
    const startsAt = Date.now() + soonMs;
    for (const [username, endsAt] of [
      [begins, startsAt + hourMs],
      [passes, startsAt + 200],
    ] as const)
      expect((await call(`/users/${username}/deactivate`, { starts_at: startsAt, ends_at: endsAt })).status).toBe(200);
    await service.kill();
    expect(Date.now()).toBeLessThan(startsAt);
    await untilTime(startsAt + 300);
    service = await ServiceProcess.start(environment());

    const refused = await login(begins);
    expect(refused.body).toMatchObject({ error_description: 'user not activated', until: startsAt + hourMs });
    const late = (await login(passes)).body['access_token'] as string;
    expect(await isTaken(early)).toBe(false);
    expect(await isTaken(late)).toBe(true);
    const settled = async () =>
      (await Promise.all([begins, passes].map((name) => storedOf(database.url, name)))).every(
        ({ changes }) => changes.length > 0,
      );
    await until(settled, 2_000, 50);
    expect(await storedOf(database.url, begins)).toEqual({
      bans: [{ state: 1, outcome: null }],
      changes: ['user.ban'],
    });
    expect(await storedOf(database.url, passes)).toEqual({
      bans: [{ state: null, outcome: 'ended' }],
      changes: ['user.unban'],
    });
    expect(await isTaken(early)).toBe(false);
    expect(await isTaken(late)).toBe(true);
  }, 30_000);
});
