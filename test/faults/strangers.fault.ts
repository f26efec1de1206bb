import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { aBootstrapApp } from '../factories/app.factory.js';
import { longForm, runs, retryTimingTests } from '../support/form.js';
import { until } from '../support/gateway-client.js';
import { percentile } from '../support/percentile.js';
import { figuresOf } from '../support/service-figures.mjs';
import { removeLimits, ServiceProcess } from '../support/service-process.js';
import { createDatabase, type TestDatabase } from '../support/test-database.js';
import { tokenOf } from '../support/tokens.js';

retryTimingTests();

const root = join(import.meta.dirname, '../..');
/** The strangers' addresses; everybody else comes from 127.0.0.1. */
const theirAddress = '127.0.0.2';
const lastsMs = runs(2_000, 20_000);
/** How much slower others may be. The short form shares the machine with another suite. */
const maxRatio = longForm ? 2 : 3;
const maxHealthMs = longForm ? 100 : 300;
const maxGrowthMiB = 160;

describe('unauthenticated clients that take up room', () => {
  const app = aBootstrapApp();
  const used = aBootstrapApp();
  const path = `/${app.org}/${app.name}`;
  const token = tokenOf(app);
  const databases: TestDatabase[] = [];
  let attacked: ServiceProcess;
  /** The same service without the strangers: what this machine does at this moment. */
  let control: ServiceProcess;
  let strangers: Socket[] = [];
  let residentBefore: number;

  const startService = async (): Promise<ServiceProcess> => {
    const database = await createDatabase('sqlite');
    databases.push(database);
    const env = {
      DATABASE_URL: database.url,
      BOOTSTRAP_APPS: `${app.text},${used.text}`,
      PASSWORD_COST: 'm=8,t=1,p=1',
      LOG_LEVEL: 'fatal',
    };
    const stuckClient = join(root, 'test/support/stuck-client.mjs');
    const program = [process.execPath, '--max-old-space-size=512', '--import', stuckClient, 'dist/main.js'];
    const service = await ServiceProcess.run(program, env, root);
    await removeLimits(app, env);
    await call(service, 'POST', '/users', { username: 'somebody', password: 'p' });
    return service;
  };

  const call = async (service: ServiceProcess, method: string, target: string, body?: unknown) => {
    const startedAt = performance.now();
    const response = await fetch(`${service.url}${path}${target}`, {
      method,
      headers: { authorization: `Bearer ${token}` },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    await response.arrayBuffer();
    return { status: response.status, ms: performance.now() - startedAt };
  };

  const come = async (count: number, say: (socket: Socket) => void, localAddress = theirAddress): Promise<void> => {
    const port = Number(new URL(attacked.url).port);
    await Promise.all(
      Array.from({ length: count }, async () => {
        const socket = connect({ port, host: '127.0.0.1', localAddress, allowHalfOpen: true });
        strangers.push(socket);
        socket.on('error', () => undefined);
        await once(socket, 'connect');
        socket.pause();
        say(socket);
      }),
    );
  };

  /**
   * What others experience meanwhile: calls to both services in turns, so that whatever this machine does affects both.
   */
  const othersMeanwhile = async (what: string): Promise<void> => {
    const times = { attacked: [] as number[], control: [] as number[], health: [] as number[] };
    const statuses = new Set<number>();
    let maxResident = 0;
    for (const end = performance.now() + lastsMs; performance.now() < end;) {
      const [ours, theirs] = [
        await call(attacked, 'GET', '/users/somebody'),
        await call(control, 'GET', '/users/somebody'),
      ];
      statuses.add(ours.status);
      times.attacked.push(ours.ms);
      times.control.push(theirs.ms);
      const requestedAt = performance.now();
      await (await fetch(`${attacked.url}/health/ready`)).text();
      times.health.push(performance.now() - requestedAt);
      maxResident = Math.max(maxResident, await attacked.residentMiB());
      await sleep(2);
    }
    const [ours, theirs, health] = [times.attacked, times.control, times.health].map((ms) => percentile(ms, 0.99)) as [
      number,
      number,
      number,
    ];
    console.log(
      `${what}: p99 ${ours.toFixed(1)} ms beside ${theirs.toFixed(1)} of the control over ${times.attacked.length} calls, ` +
        `health p99 ${health.toFixed(1)} ms, memory ${residentBefore.toFixed()} to ${maxResident.toFixed()} MiB`,
    );
    expect([...statuses]).toEqual([200]);
    // Half a millisecond is within the noise of the machine.
    expect((ours - 0.5) / theirs).toBeLessThan(maxRatio);
    expect(health).toBeLessThan(maxHealthMs);
    expect(maxResident - residentBefore).toBeLessThan(maxGrowthMiB);
  };

  // One pair of services for all attacks, so that whatever one attack leaves behind burdens the next.
  beforeAll(async () => {
    [attacked, control] = await Promise.all([startService(), startService()]);
    for (const service of [attacked, control])
      for (let index = 0; index < 300; index += 1) await call(service, 'GET', '/users/somebody');
  }, 60_000);
  beforeEach(async () => {
    residentBefore = await attacked.residentMiB();
  });
  afterEach(() => {
    for (const socket of strangers) socket.destroy();
    strangers = [];
  });
  afterAll(async () => {
    await Promise.all([attacked, control].map((service) => service.kill()));
    for (const database of databases) await database.drop();
  });

  it.each([
    ['without an app', `GET /no/app/users HTTP/1.1\r\nhost: x\r\n\r\n`, theirAddress],
    ['that are open to everyone', `GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n`, theirAddress],
    // Here the kernel buffers some megabytes of answers for each, so all of them are worked for as well.
    ['while the kernel takes the answers', `GET /no/app/users HTTP/1.1\r\nhost: x\r\n\r\n`, '127.0.0.3'],
  ])(
    '150 connections that send 8 MB of requests %s and read nothing',
    async (what, request, localAddress) => {
      const bytes = Buffer.from(request.repeat(Math.ceil((8 * 1024 * 1024) / request.length)));
      await come(150, (socket) => socket.write(bytes), localAddress);
      await sleep(500);
      await othersMeanwhile(`pipelining, ${what}`);
      // Disconnected like every client that does not read; the process survives.
      expect((await call(attacked, 'GET', '/users/somebody')).status).toBe(200);
    },
    120_000,
  );

  it('clients that disconnect after pipelined requests leave no slot taken', async () => {
    const request = `GET ${path}/users/somebody HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\n\r\n`;
    const bytes = Buffer.from(request.repeat(100));
    for (let round = 0; round < 20; round += 1) {
      await come(10, (socket) => socket.write(bytes), '127.0.0.3');
      await sleep(round);
      for (const socket of strangers.splice(0)) socket.destroy();
    }
    await sleep(1_000);
    expect((await call(attacked, 'GET', '/users/somebody')).status).toBe(200);
  }, 60_000);

  it.each([
    ['do not read /docs', 'GET /docs HTTP/1.1\r\nhost: x\r\n\r\n'],
    ['do not read the script of /docs', 'GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nhost: x\r\n\r\n'],
    [
      'announce the body of a GET with the key of an app and never send it',
      `GET /api/v2.1/rest/get_user_list HTTP/1.1\r\nhost: x\r\nQISCUS-SDK-APP-ID: ${used.appId}\r\n` +
        `QISCUS-SDK-SECRET: ${used.certificate}\r\ncontent-length: 20\r\n\r\n`,
    ],
    [
      'announce the body of a POST and never send it',
      `POST ${path}/users HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\ncontent-length: 60000\r\n\r\n`,
    ],
  ])(
    '1,050 clients that %s take no slot from others',
    async (what, request) => {
      await come(1_050, (socket) => socket.write(request));
      await sleep(500);
      await othersMeanwhile(what);
    },
    120_000,
  );
});

describe('connections of one address', () => {
  it('are limited, the next one is closed at once, and other addresses and proxies are served', async () => {
    const database = await createDatabase('sqlite');
    const service = await ServiceProcess.start({
      DATABASE_URL: database.url,
      MAX_CONNECTIONS_PER_ADDRESS: '50',
      TRUST_PROXY: '127.0.0.4',
    });
    const port = Number(new URL(service.url).port);
    const open = async (count: number, localAddress: string): Promise<Socket[]> =>
      Promise.all(
        Array.from({ length: count }, async () => {
          const socket = connect({ port, host: '127.0.0.1', localAddress }).on('error', () => undefined);
          await once(socket, 'connect');
          return socket.resume();
        }),
      );
    const closedOf = (sockets: readonly Socket[]): number => sockets.filter(({ destroyed }) => destroyed).length;
    const [theirs, proxys] = [await open(80, theirAddress), await open(80, '127.0.0.4')];
    await until(() => closedOf(theirs) === 30, 5_000);
    expect((await figuresOf(service.url)).sum('rollcall_connections_cut_total', 'too_many')).toBe(30);
    expect(closedOf(proxys)).toBe(0);
    // A place is free again as soon as one is gone.
    for (const socket of theirs) socket.destroy();
    await until(async () => {
      const again = await open(50, theirAddress);
      await sleep(50);
      const closed = closedOf(again);
      for (const socket of again) socket.destroy();
      return closed === 0;
    }, 10_000);
    for (const socket of proxys) socket.destroy();
    await service.kill();
    await database.drop();
  }, 60_000);

  it('of many addresses leave files for the database, and idle ones make room', async () => {
    const app = aBootstrapApp();
    const database = await createDatabase('sqlite');
    const limited = ['sh', '-c', 'ulimit -n 200 && exec "$0" dist/main.js', process.execPath];
    const service = await ServiceProcess.run(limited, { DATABASE_URL: database.url, BOOTSTRAP_APPS: app.text }, root);
    const { port } = new URL(service.url);
    const idle: Socket[] = [];
    for (let index = 0; index < 250; index += 1) {
      const localAddress = `127.0.1.${index % 250}`;
      const socket = connect({ port: Number(port), host: '127.0.0.1', localAddress }).on('error', () => undefined);
      idle.push(socket);
      socket.resume().write('GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n');
      await sleep(2);
    }
    let status = 0;
    await until(async () => {
      const requestedAt = fetch(`${service.url}/${app.org}/${app.name}/users`, {
        method: 'POST',
        headers: { authorization: `Bearer ${tokenOf(app)}`, connection: 'close' },
        body: JSON.stringify({ username: `user${performance.now().toFixed()}`, password: 'p' }),
        signal: AbortSignal.timeout(1_000),
      });
      status = await requestedAt.then((response) => response.status).catch(() => 0);
      return status !== 0;
    }, 5_000);
    expect(status).toBe(200);
    expect((await figuresOf(service.url)).sum('rollcall_connections_cut_total', 'too_many')).toBeGreaterThan(0);
    for (const socket of idle) socket.destroy();
    await service.kill();
    await database.drop();
  }, 60_000);
});
