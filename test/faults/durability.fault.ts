import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { startMariaDb, type TestServer } from '../../scripts/test-servers.mjs';
import { aBootstrapApp } from '../factories/app.factory.js';
import { runs } from '../support/form.js';
import { runCli, ServiceProcess } from '../support/service-process.js';
import { createDatabase, type TestDatabase } from '../support/start-app.js';

const writers = 20;
/** How often each test kills, each time after so many more acknowledged registrations and a few milliseconds. */
const kills = runs(3, 50);
const acksBetweenKills = [200, 400] as const;

/** What a run of registrations told us, and what it did not. */
class Ledger {
  readonly acked: string[] = [];
  readonly unsure = new Set<string>();
  readonly statuses = new Map<number, number>();
  stopped = false;
  private next = 0;

  constructor(
    private readonly prefix: string,
    private readonly urlOf: () => string,
    private readonly token: string,
  ) {}

  /** Twenty writers register users, one after the other, until `stop`. */
  start(): Promise<void> {
    const write = async (): Promise<void> => {
      while (!this.stopped) await this.registerOne();
    };
    return Promise.all(Array.from({ length: writers }, write)).then(() => undefined);
  }

  /** Waits for a random number of further acknowledgements, and a little longer. @returns the number */
  async untilRandomMoment(): Promise<number> {
    const acks = randomInt(...acksBetweenKills);
    for (const target = this.acked.length + acks; this.acked.length < target;) await sleep(1);
    await sleep(randomInt(20));
    return acks;
  }

  private async registerOne(): Promise<void> {
    const username = `${this.prefix}-${(this.next += 1)}`;
    this.unsure.add(username);
    try {
      const { status } = await fetch(this.urlOf(), {
        method: 'POST',
        headers: { authorization: `Bearer ${this.token}` },
        body: JSON.stringify({ username, password: 'p' }),
      });
      this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1);
      if (status !== 200) return;
      this.unsure.delete(username);
      this.acked.push(username);
    } catch {
      // The service is away; nobody knows what became of this one.
      await sleep(5);
    }
  }

  /** Every user there is, by the list of the service. */
  async present(): Promise<Set<string>> {
    const present = new Set<string>();
    for (let cursor: string | undefined = ''; cursor !== undefined;) {
      const response = await fetch(`${this.urlOf()}?limit=100&cursor=${cursor}`, {
        headers: { authorization: `Bearer ${this.token}` },
      });
      const page = (await response.json()) as { entities: { username: string; uuid: string }[]; cursor?: string };
      for (const { username, uuid } of page.entities) if (uuid.length === 36) present.add(username);
      cursor = page.cursor;
    }
    return present;
  }

  async expectNothingLost(): Promise<void> {
    const present = await this.present();
    expect(this.acked.filter((username) => !present.has(username))).toEqual([]);
    // What nobody acknowledged may be there, but nothing that nobody asked for.
    const acked = new Set(this.acked);
    expect([...present].filter((username) => !acked.has(username) && !this.unsure.has(username))).toEqual([]);
  }
}

describe('no acknowledged user is lost', () => {
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

  const environment = () => ({
    DATABASE_URL: (database as TestDatabase).url,
    BOOTSTRAP_APPS: app.text,
    PASSWORD_COST: 'm=8,t=1,p=1',
  });
  const usersUrl = () => `${(service as ServiceProcess).url}/${app.org}/${app.name}/users`;

  async function open(engine: 'sqlite' | 'mariadb'): Promise<Ledger> {
    database = await createDatabase(engine, server.url);
    service = await ServiceProcess.start(environment());
    await runCli(['app', 'set', `${app.org}/${app.name}`, 'rate_profile=off'], environment());
    const token = await runCli(['token', 'app', `${app.org}/${app.name}`], environment());
    // The service remembers an app for a second.
    await sleep(1_050);
    return new Ledger(`d${randomInt(1e9)}`, usersUrl, token);
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
      console.log(`${engine}: killed after ${moments.join(', ')} registrations, ${ledger.acked.length} acknowledged`);
      await ledger.expectNothingLost();
      expect([...ledger.statuses.keys()].filter((status) => status !== 200 && status !== 503)).toEqual([]);
    },
    runs(120_000, 1_200_000),
  );

  it(
    'when MariaDB is killed with -9, and the service goes on by itself',
    async () => {
      ledger = await open('mariadb');
      const written = ledger.start();
      const moments: number[] = [];
      for (let round = 0; round < kills; round += 1) {
        moments.push(await ledger.untilRandomMoment());
        await server.restart();
      }
      const before = ledger.acked.length;
      const until = performance.now() + 5_000;
      while (ledger.acked.length < before + writers && performance.now() < until) await sleep(10);
      ledger.stopped = true;
      await written;
      console.log(`MariaDB: killed after ${moments.join(', ')} registrations, ${ledger.acked.length} acknowledged`);
      expect(ledger.acked.length).toBeGreaterThanOrEqual(before + writers);
      await ledger.expectNothingLost();
      expect([...ledger.statuses.keys()].filter((status) => status !== 200 && status !== 503)).toEqual([]);
    },
    runs(120_000, 1_200_000),
  );
});
