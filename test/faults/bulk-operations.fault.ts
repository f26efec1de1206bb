import { setTimeout as sleep } from 'node:timers/promises';
import { aBootstrapApp } from '../factories/app.factory.js';
import { aUsername } from '../factories/user.factory.js';
import { Cluster } from '../support/cluster.js';
import { runs } from '../support/form.js';
import { rowsOf } from '../support/rows.js';
import { removeLimits, ServiceProcess } from '../support/service-process.js';
import { createDatabase, type TestDatabase } from '../support/test-database.js';
import { tokenOf } from '../support/tokens.js';

const users = runs(400, 1_000);
const kills = runs(1, 5);
const races = runs(15, 200);

type Call = (method: string, path: string, body?: unknown) => Promise<any>;

/** Waits for the end of an operation. */
async function finished(call: Call, id: string, withinMs = 60_000): Promise<any> {
  for (const end = Date.now() + withinMs; ; await sleep(50)) {
    const { data } = await call('GET', `/operations/${id}`).catch(() => ({ data: {} }));
    if (['done', 'cancelled', 'failed'].includes(data?.state as string)) return data;
    if (Date.now() > end) throw new Error(`not finished: ${JSON.stringify(data)}`);
  }
}

/** Waits until an operation has changed some users, but not all. */
async function halfway(call: Call, id: string): Promise<void> {
  for (;;) {
    const { changed, total } = (await call('GET', `/operations/${id}`)).data.progress as Record<string, number>;
    if (changed === total) throw new Error('it was too fast to be interrupted');
    if ((changed as number) > 0) return;
    await sleep(1);
  }
}

const auditOf = (id: string) =>
  `SELECT target, COUNT(*) AS entries FROM audit_entries WHERE operation_id = ${id} GROUP BY target`;
const bansOf = 'SELECT user_uuid, COUNT(*) AS bans FROM bans GROUP BY user_uuid';

describe('a change of many users', () => {
  const app = aBootstrapApp();
  let database: TestDatabase;
  let service: ServiceProcess;

  afterAll(() => ServiceProcess.killAll());
  afterEach(async () => {
    await service.kill();
    await database.drop();
  });

  it.each(['sqlite', 'mariadb'] as const)(
    'reaches each user once, with one entry in the audit trail, though the service is killed with -9, on %s',
    async (engine) => {
      database = await createDatabase(engine);
      const env = { DATABASE_URL: database.url, BOOTSTRAP_APPS: app.text, PASSWORD_COST: 'm=8,t=1,p=1' };
      service = await ServiceProcess.start(env);
      await removeLimits(app, env);
      const token = tokenOf(app);
      const call: Call = async (method, path, body) => {
        const answer = await fetch(`${service.url}/${app.org}/${app.name}${path}`, {
          method,
          headers: { authorization: `Bearer ${token}` },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        });
        return answer.json();
      };
      const names = Array.from({ length: users }, (_, index) => `${aUsername()}-${index}`);
      for (let start = 0; start < users; start += 60)
        await call(
          'POST',
          '/users',
          names.slice(start, start + 60).map((username) => ({ username, password: 'p' })),
        );
      const { id } = (await call('POST', '/operations', { action: 'ban', usernames: names })).data;
      for (let round = 0; round < kills; round += 1) {
        await halfway(call, id as string);
        await service.kill();
        service = await ServiceProcess.start(env);
      }
      const { progress } = await finished(call, id as string);
      expect(progress).toEqual({ total: users, done: users, changed: users, unchanged: 0, failed: 0 });
      const audited = await rowsOf<{ target: string; entries: number }>(database.url, auditOf(id as string));
      expect(audited.map(({ target }) => target).sort()).toEqual(names.toSorted());
      expect(audited.filter(({ entries }) => Number(entries) !== 1)).toEqual([]);
      const bans = await rowsOf<{ bans: number }>(database.url, bansOf);
      expect(bans.map(({ bans: count }) => Number(count))).toEqual(Array(users).fill(1));
    },
    180_000,
  );
});

describe('operations on three nodes', () => {
  let cluster: Cluster;
  const callOn =
    (node: number): Call =>
    async (method, path, body) =>
      (await cluster.call(cluster.node(node), method, path, body)).body;

  beforeAll(async () => {
    cluster = await Cluster.start(3);
  }, 60_000);
  afterAll(() => cluster.stop());

  const operationOf = async (node: number, method: string, path: string, body?: unknown): Promise<string> => {
    const answer = await fetch(`${cluster.node(node).url}${cluster.path}${path}`, {
      method,
      headers: { authorization: `Bearer ${cluster.token()}` },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    expect(answer.status).toBe(200);
    return answer.headers.get('x-operation-id') as string;
  };
  const isActive = async (name: string) => (await callOn(2)('GET', `/users/${name}`)).entities[0].activated as boolean;

  test('of several undos at once, exactly one takes effect', async () => {
    for (let round = 0; round < races; round += 1) {
      const name = aUsername();
      await cluster.register([name]);
      const id = await operationOf(round % 3, 'POST', `/users/${name}/deactivate`);
      const answers = await Promise.all(
        [0, 1, 2].map((node) => cluster.call(cluster.node(node), 'POST', `/operations/${id}/undo`)),
      );
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409]);
      expect(await isActive(name)).toBe(true);
    }
  });

  test('an undo never lifts a later ban', async () => {
    for (let round = 0; round < races; round += 1) {
      const name = aUsername();
      await cluster.register([name]);
      const id = await operationOf(0, 'POST', `/users/${name}/deactivate`);
      const again = async (): Promise<void> => {
        await operationOf(1, 'POST', `/users/${name}/activate`);
        await operationOf(1, 'POST', `/users/${name}/deactivate`);
      };
      await Promise.all([again(), cluster.call(cluster.node(2), 'POST', `/operations/${id}/undo`)]);
      expect(await isActive(name)).toBe(false);
    }
  });

  test('another node goes on where one was killed', async () => {
    const names = Array.from({ length: users }, () => aUsername());
    await cluster.register(names);
    const doomed = await cluster.startNode();
    const { body } = await cluster.call(doomed, 'POST', '/operations', { action: 'ban', usernames: names });
    await halfway(callOn(0), body.data.id as string);
    await doomed.kill();
    const { progress } = await finished(callOn(1), body.data.id as string);
    expect(progress).toMatchObject({ total: users, changed: users, failed: 0 });
    const audited = await rowsOf<{ entries: number }>(cluster.databaseUrl, auditOf(body.data.id as string));
    expect(audited.map(({ entries }) => Number(entries))).toEqual(Array(users).fill(1));
  }, 120_000);
});
