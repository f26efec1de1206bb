import { setTimeout as sleep } from 'node:timers/promises';
import { createConnection } from 'mysql2/promise';
import { startMariaDb, type TestServer } from '../../scripts/test-servers.mjs';
import { aBootstrapApp } from '../factories/app.factory.js';
import { aUsername } from '../factories/user.factory.js';
import { inTurns } from '../support/cluster.js';
import { retryTimingTests } from '../support/form.js';
import { rawCall, type RawAnswer } from '../support/raw-call.js';
import { removeLimits, runCli, ServiceProcess } from '../support/service-process.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { createDatabase, type TestDatabase } from '../support/test-database.js';
import { tokenOf } from '../support/tokens.js';

retryTimingTests();

const poolSize = 10;
const minuteMs = 60_000;

describe('the service while its MariaDB', () => {
  const app = aBootstrapApp();
  let server: TestServer;
  let proxy: TcpProxy;
  let database: TestDatabase;
  let service: ServiceProcess;
  let token: string;

  beforeAll(async () => {
    server = await startMariaDb();
    proxy = await TcpProxy.to(server.url);
    database = await createDatabase('mariadb', server.url);
    const [, name] = new URL(database.url).pathname.split('/');
    // As in production: a user without the privilege to write to a read-only server.
    await onServer(`CREATE USER rollcall@'%' IDENTIFIED BY 'p'`);
    await onServer(`GRANT ALL ON ${name}.* TO rollcall@'%'`);
    const url = new URL(proxy.through(database.url));
    url.username = 'rollcall';
    url.password = 'p';
    const env = {
      DATABASE_URL: url.href,
      DATABASE_POOL_SIZE: `${poolSize}`,
      BOOTSTRAP_APPS: app.text,
      PASSWORD_COST: 'm=8,t=1,p=1',
      LOG_LEVEL: 'fatal',
    };
    service = await ServiceProcess.start(env);
    await removeLimits(app, env);
    token = tokenOf(app);
    expect(await register()).toMatchObject({ status: 200 });
  }, 120_000);
  afterAll(async () => {
    await service?.kill();
    await proxy?.close();
    await server?.stop();
  });
  afterEach(async () => {
    proxy.heal();
    await untilWorking(10_000);
  });

  const onServer = async (sql: string): Promise<unknown> => {
    const connection = await createConnection(server.url);
    try {
      return (await connection.query(sql))[0];
    } finally {
      await connection.end();
    }
  };
  const call = (method: string, path: string, body?: unknown): Promise<RawAnswer> =>
    rawCall(service.url, method, `/${app.org}/${app.name}${path}`, {
      token,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  const register = () => call('POST', '/users', { username: aUsername(), password: 'p' });
  const list = () => call('GET', '/users?limit=1');
  const timed = async (work: () => Promise<RawAnswer>): Promise<RawAnswer & { ms: number }> => {
    const startedAt = performance.now();
    const answer = await work();
    return { ...answer, ms: performance.now() - startedAt };
  };
  /** @returns how long it took until a write and a read were answered */
  const untilWorking = async (withinMs: number): Promise<number> => {
    const startedAt = performance.now();
    while ((await register()).status !== 200 || (await list()).status !== 200) {
      if (performance.now() - startedAt > withinMs) throw new Error(`still not working after ${withinMs} ms`);
      await sleep(20);
    }
    return performance.now() - startedAt;
  };
  const expectBusy = (answer: RawAnswer): void => {
    expect({ status: answer.status, error: answer.body.error }).toEqual({ status: 503, error: 'service_unavailable' });
    expect(answer.headers['retry-after']).toBe('1');
  };
  const connectionIds = async (): Promise<Set<number>> => {
    const sql = "SELECT id FROM information_schema.processlist WHERE user = 'rollcall'";
    return new Set(((await onServer(sql)) as { id: number }[]).map(({ id }) => id));
  };
  const connections = async (): Promise<number> => (await connectionIds()).size;

  it(
    'is down: 503 within 1 s for each of a hundred requests, and everything works within 5 s of its return',
    async () => {
      await inTurns(Array.from({ length: 50 }), 25, list);
      proxy.refuse();
      const answers = await inTurns(Array.from({ length: 100 }), 20, (_none, index) =>
        timed(index % 2 === 0 ? register : list),
      );
      answers.forEach(expectBusy);
      const slowest = Math.max(...answers.map(({ ms }) => ms));
      proxy.heal();
      const back = await untilWorking(5_000);
      console.log(`down: slowest 503 ${Math.round(slowest)} ms; works ${Math.round(back)} ms after its return`);
      expect(slowest).toBeLessThan(1_000);
    },
    minuteMs,
  );

  it(
    'is killed and restarted: everything works within 5 s, without a restart of the service',
    async () => {
      const load = inTurns(Array.from({ length: 200 }), 10, register);
      await server.restart();
      const back = await untilWorking(5_000);
      const statuses = new Set((await load).map(({ status }) => status));
      console.log(`restarted: works ${Math.round(back)} ms after it answers again`);
      expect([...statuses].filter((status) => status !== 200 && status !== 503)).toEqual([]);
    },
    minuteMs,
  );

  it(
    'is a black hole under load: no request hangs, and within 5 s of its end a hundred out of a hundred succeed',
    async () => {
      await inTurns(Array.from({ length: 50 }), 25, list);
      proxy.hold();
      const answers = await inTurns(Array.from({ length: 100 }), 20, (_none, index) =>
        timed(index % 2 === 0 ? register : list),
      );
      answers.forEach(expectBusy);
      proxy.heal();
      const healed = performance.now();
      const back = await untilWorking(5_000);
      const after = await inTurns(Array.from({ length: 100 }), 10, register);
      const took = performance.now() - healed;
      const slowest = Math.max(...answers.map(({ ms }) => ms));
      console.log(`black hole: slowest 503 ${Math.round(slowest)} ms, works ${Math.round(back)} ms after its end`);
      expect(after.filter(({ status }) => status === 200)).toHaveLength(100);
      expect(took).toBeLessThan(5_000);
      // The timeouts of a statement and of a connection, one after the other, and the wait for a place.
      expect(slowest).toBeLessThan(5_000);
    },
    minuteMs,
  );

  it(
    'answers 200 ms later: requests are served or refused in bounded time, and the pool does not grow',
    async () => {
      proxy.slow(100);
      let maxSeen = 0;
      let watching = true;
      const watch = (async () => {
        while (watching) {
          maxSeen = Math.max(maxSeen, proxy.connections, await connections());
          await sleep(20);
        }
      })();
      const answers = await inTurns(Array.from({ length: 200 }), 50, (_none, index) =>
        timed(index % 2 === 0 ? register : list),
      );
      watching = false;
      await watch;
      for (const answer of answers) if (answer.status !== 200) expectBusy(answer);
      const served = answers.filter(({ status }) => status === 200).length;
      const slowest = Math.max(...answers.map(({ ms }) => ms));
      proxy.heal();
      const back = await untilWorking(5_000);
      console.log(
        `200 ms slower: ${served} of ${answers.length} served, slowest answer ${Math.round(slowest)} ms, ` +
          `${maxSeen} connections; works ${Math.round(back)} ms after`,
      );
      expect(served).toBeGreaterThan(answers.length / 2);
      expect(maxSeen).toBeLessThanOrEqual(poolSize);
      expect(slowest).toBeLessThan(5_000);
    },
    minuteMs,
  );

  it(
    'is read-only, as after a failover: 503 for writes on connections that are then dropped, reads continue',
    async () => {
      await inTurns(Array.from({ length: 50 }), 25, list);
      const before = await connectionIds();
      await onServer('SET GLOBAL read_only = ON');
      try {
        const answers = await inTurns(Array.from({ length: 40 }), 20, () => timed(register));
        answers.forEach(expectBusy);
        expect((await list()).status).toBe(200);
        const slowest = Math.max(...answers.map(({ ms }) => ms));
        console.log(`read only: slowest 503 ${Math.round(slowest)} ms`);
        expect(slowest).toBeLessThan(2_000);
        // After a failover behind one address, only a new connection finds the new server.
        for (let wave = 0; wave < 20; wave += 1) await register();
        const now = await connectionIds();
        expect(before.size).toBeGreaterThan(0);
        expect([...before].filter((id) => now.has(id))).toEqual([]);
      } finally {
        await onServer('SET GLOBAL read_only = OFF');
      }
      const back = await untilWorking(5_000);
      console.log(`read only: works ${Math.round(back)} ms after`);
    },
    minuteMs,
  );

  it(
    'was read-only for a moment: the write is retried on a new connection, and nobody notices',
    async () => {
      await onServer('SET GLOBAL read_only = ON');
      const answer = register();
      await sleep(30);
      await onServer('SET GLOBAL read_only = OFF');
      expect((await answer).status).toBe(200);
    },
    minuteMs,
  );

  it(
    'is configured so that a power cut loses acknowledged writes: doctor and every start warn about it',
    async () => {
      const env = { DATABASE_URL: database.url };
      const warning = 'innodb_flush_log_at_trx_commit is not 1: a power cut may lose acknowledged writes';
      expect(await runCli(['doctor'], env)).not.toContain(warning);
      await onServer('SET GLOBAL innodb_flush_log_at_trx_commit = 2');
      try {
        expect(await runCli(['doctor'], env)).toMatch(new RegExp(`^warning +durability +${warning}$`, 'm'));
        const service = await ServiceProcess.start(env);
        expect(service.output).toContain(warning);
        await service.kill();
      } finally {
        await onServer('SET GLOBAL innodb_flush_log_at_trx_commit = 1');
      }
    },
    minuteMs,
  );

  it(
    'accepts no more connections: 503 or served, nothing hangs, and everything works when it does again',
    async () => {
      const [{ Value: usual }] = (await onServer("SHOW VARIABLES LIKE 'max_connections'")) as [{ Value: string }];
      proxy.cut();
      await onServer('SET GLOBAL max_connections = 10');
      const taken = await Promise.all(
        Array.from({ length: 7 }, async () => createConnection(server.url).catch(() => null)),
      );
      try {
        const answers = await inTurns(Array.from({ length: 100 }), 20, (_none, index) =>
          timed(index % 2 === 0 ? register : list),
        );
        for (const answer of answers) if (answer.status !== 200) expectBusy(answer);
        const slowest = Math.max(...answers.map(({ ms }) => ms));
        const refused = answers.filter(({ status }) => status === 503).length;
        console.log(`too many connections: ${refused} of 100 refused, slowest answer ${Math.round(slowest)} ms`);
        expect(refused).toBeGreaterThan(0);
        expect(slowest).toBeLessThan(1_500);
      } finally {
        await taken[0]?.query(`SET GLOBAL max_connections = ${usual}`);
        for (const connection of taken) await connection?.end();
      }
      await untilWorking(5_000);
    },
    minuteMs,
  );
});
