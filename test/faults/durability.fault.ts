import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { startMariaDb, type TestServer } from '../../scripts/test-servers.mjs';
import { aBootstrapApp } from '../factories/app.factory.js';
import { runs } from '../support/form.js';
import { Ledger, writers } from '../support/ledger.js';
import { removeLimits, ServiceProcess } from '../support/service-process.js';
import { createDatabase, type TestDatabase } from '../support/test-database.js';
import { tokenOf } from '../support/tokens.js';

/** How often each test kills, each time after this many more acknowledgements and a few milliseconds. */
const kills = runs(1, 50);
const acksBetweenKills = [runs(400, 1_000), runs(500, 1_200)] as const;
const minAcks = kills * acksBetweenKills[0];

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
    await removeLimits(app, environment());
    const token = tokenOf(app);
    return new Ledger(`d${randomInt(1e9)}`, appUrl, token);
  }

  async function close(what: string, moments: readonly number[]): Promise<void> {
    const { registered, messages, banned, acks } = ledger;
    const kinds = `${registered.size} users, ${messages.size} messages, ${banned.size} bans`;
    console.log(`${what}: killed after ${moments.join(', ')} acknowledgements, ${acks} in all: ${kinds}`);
    expect(acks).toBeGreaterThanOrEqual(minAcks);
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
        moments.push(await untilRandomMoment(ledger));
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
    'when MariaDB is killed with -9, and the service recovers by itself within 5 s',
    async () => {
      ledger = await open('mariadb');
      const written = ledger.start();
      const moments: number[] = [];
      const away: number[] = [];
      for (let round = 0; round < kills; round += 1) {
        moments.push(await untilRandomMoment(ledger));
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

/** Waits for a random number of further acknowledgements, and a little longer. @returns the number */
async function untilRandomMoment(ledger: Ledger): Promise<number> {
  const acks = randomInt(...acksBetweenKills);
  await ledger.untilMore(acks);
  await sleep(randomInt(20));
  return acks;
}
