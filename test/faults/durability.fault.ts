import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { startMariaDb, type TestServer } from '../../scripts/test-servers.mjs';
import { aBootstrapApp } from '../factories/app.factory.js';
import { runs } from '../support/form.js';
import { rowsOf } from '../support/rows.js';
import { liftLimits, ServiceProcess } from '../support/service-process.js';
import { createDatabase, type TestDatabase } from '../support/test-database.js';
import { tokenOf } from '../support/tokens.js';

const writers = 20;
/** How often each test kills, each time after so many more acknowledgements and a few milliseconds. */
const kills = runs(1, 50);
/** Callers that come again at once would take the processors from what they wait for. */
const retryAfterMs = 50;
const acksBetweenKills = [1_000, 1_200] as const;
const acksLeast = kills * acksBetweenKills[0];

/** What writers were told: names whose registration, message and ban were acknowledged, and all that they tried. */
class Ledger {
  readonly registered = new Set<string>();
  readonly banned = new Set<string>();
  /** Message id to its receiver. */
  readonly messages = new Map<string, string>();
  readonly tried = new Set<string>();
  readonly statuses = new Map<number, number>();
  stopped = false;
  private next = 0;

  constructor(
    private readonly prefix: string,
    private readonly appUrl: () => string,
    private readonly token: string,
  ) {}

  get acks(): number {
    return this.registered.size + this.messages.size + this.banned.size;
  }

  /** Twenty writers register users, each of whom then gets a message and is banned, until `stop`. */
  start(): Promise<void> {
    const write = async (): Promise<void> => {
      while (!this.stopped) await this.oneLife(`${this.prefix}-${(this.next += 1)}`);
    };
    return Promise.all(Array.from({ length: writers }, write)).then(() => undefined);
  }

  /** Waits for a random number of further acknowledgements, and a little longer. @returns the number */
  async untilRandomMoment(): Promise<number> {
    const acks = randomInt(...acksBetweenKills);
    for (const target = this.acks + acks; this.acks < target;) await sleep(1);
    await sleep(randomInt(20));
    return acks;
  }

  private async oneLife(username: string): Promise<void> {
    this.tried.add(username);
    if ((await this.post('/users', { username, password: 'p' })) === null) return;
    this.registered.add(username);
    const sent = await this.post('/messages/users', { to: [username], type: 'txt', body: { msg: username } });
    if (sent !== null) this.messages.set((sent['data'] as Record<string, string>)[username] as string, username);
    if ((await this.post(`/users/${username}/deactivate`, { reason: username })) !== null) this.banned.add(username);
  }

  /** The answer, or null when nobody knows what became of the request. */
  private async post(path: string, body: unknown): Promise<Record<string, unknown> | null> {
    try {
      const response = await fetch(`${this.appUrl()}${path}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${this.token}` },
        body: JSON.stringify(body),
      });
      this.statuses.set(response.status, (this.statuses.get(response.status) ?? 0) + 1);
      const answer = (await response.json()) as Record<string, unknown>;
      if (response.status === 200) return answer;
    } catch {
      // It is away.
    }
    await sleep(retryAfterMs);
    return null;
  }

  /** The log of acknowledgements against the tables; what was not acknowledged may be there, but whole. */
  async expectNothingLost(databaseUrl: string): Promise<void> {
    const users = new Map<string, { uuid: string; activated: number }>();
    for (const { username, ...user } of await rowsOf<{ username: string; uuid: string; activated: number }>(
      databaseUrl,
      'SELECT username, uuid, activated FROM users',
    ))
      users.set(username, user);
    expect([...this.registered].filter((name) => !users.has(name))).toEqual([]);
    expect([...users.keys()].filter((name) => !this.tried.has(name))).toEqual([]);
    const [counted] = await rowsOf<{ users: unknown }>(databaseUrl, 'SELECT SUM(users) AS users FROM user_counts');
    expect(Number(counted?.users)).toBe(users.size);

    const lines = new Map<string, unknown[]>();
    for (const { user_uuid, ...line } of await rowsOf<{ user_uuid: string }>(
      databaseUrl,
      'SELECT user_uuid, activated, reason FROM user_activations',
    ))
      lines.set(user_uuid, [...(lines.get(user_uuid) ?? []), line]);
    expect([...this.banned].filter((name) => users.get(name)?.activated !== 0)).toEqual([]);
    // A ban and its line in the history are one, acknowledged or not.
    for (const [name, { uuid, activated }] of users)
      expect([name, lines.get(uuid) ?? []]).toEqual([name, activated === 0 ? [{ activated: 0, reason: name }] : []]);

    const kept = new Map<string, { user_uuid: string; body: string | null }>();
    for (const { id, ...message } of await rowsOf<{ id: number | string; user_uuid: string; body: string | null }>(
      databaseUrl,
      'SELECT i.id, i.user_uuid, m.body FROM inbox_messages i' +
        ' LEFT JOIN messages m ON m.app_id = i.app_id AND m.id = i.message_id',
    ))
      kept.set(String(id), message);
    const names = new Map([...users].map(([name, { uuid }]) => [uuid, name]));
    expect([...this.messages].filter(([id, name]) => names.get(kept.get(id)?.user_uuid ?? '') !== name)).toEqual([]);
    for (const { user_uuid: uuid, body } of kept.values())
      expect(JSON.parse(body ?? 'null')).toEqual({ msg: names.get(uuid) });
    const [inboxes] = await rowsOf<{ kept: unknown }>(databaseUrl, 'SELECT SUM(kept) AS kept FROM inboxes');
    expect(Number(inboxes?.kept)).toBe(kept.size);
  }
}

describe('no acknowledged user, message or ban is lost', () => {
  const app = aBootstrapApp();
  let server: TestServer;
  let database: TestDatabase | undefined;
  let service: ServiceProcess | undefined;
  let ledger: Ledger;

  beforeAll(
    async () => {
      server = await startMariaDb();
    },
    runs(120_000, 1_200_000),
  );
  afterAll(async () => {
    ServiceProcess.killAll();
    await server.stop();
  });
  afterEach(async () => {
    ledger.stopped = true;
    await service?.kill();
    await database?.drop();
  });

  const databaseUrl = () => (database as TestDatabase).url;
  const environment = () => ({
    DATABASE_URL: databaseUrl(),
    BOOTSTRAP_APPS: app.text,
    PASSWORD_COST: 'm=8,t=1,p=1',
  });
  const appUrl = () => `${(service as ServiceProcess).url}/${app.org}/${app.name}`;

  async function open(engine: 'sqlite' | 'mariadb'): Promise<Ledger> {
    database = await createDatabase(engine, server.url);
    service = await ServiceProcess.start(environment());
    await liftLimits(app, environment());
    const token = tokenOf(app);
    return new Ledger(`d${randomInt(1e9)}`, appUrl, token);
  }

  async function close(what: string, moments: readonly number[]): Promise<void> {
    const { registered, messages, banned, acks } = ledger;
    const kinds = `${registered.size} users, ${messages.size} messages, ${banned.size} bans`;
    console.log(`${what}: killed after ${moments.join(', ')} acknowledgements, ${acks} in all: ${kinds}`);
    expect(acks).toBeGreaterThanOrEqual(acksLeast);
    await ledger.expectNothingLost(databaseUrl());
    expect([...ledger.statuses.keys()].filter((status) => status !== 200 && status !== 503)).toEqual([]);
  }

  it.each(['sqlite', 'mariadb'] as const)(
    'when the service is killed with -9 at a random moment, on %s',
    async (engine) => {
      ledger = await open(engine);
      const written = ledger.start();
      const moments: number[] = [];
      for (let round = 0; round < kills; round += 1) {
        moments.push(await ledger.untilRandomMoment());
        await service?.kill();
        service = await ServiceProcess.start(environment());
      }
      ledger.stopped = true;
      await written;
      await close(engine, moments);
    },
    runs(120_000, 1_200_000),
  );

  it(
    'when MariaDB is killed with -9, and the service goes on by itself within 5 s',
    async () => {
      ledger = await open('mariadb');
      const written = ledger.start();
      const moments: number[] = [];
      const away: number[] = [];
      for (let round = 0; round < kills; round += 1) {
        moments.push(await ledger.untilRandomMoment());
        await server.restart();
        const back = performance.now();
        for (const target = ledger.acks + writers; ledger.acks < target;) await sleep(5);
        away.push(performance.now() - back);
      }
      ledger.stopped = true;
      await written;
      await close(`MariaDB, works again after at most ${Math.round(Math.max(...away))} ms`, moments);
      expect(Math.max(...away)).toBeLessThan(5_000);
    },
    runs(120_000, 1_200_000),
  );
});
