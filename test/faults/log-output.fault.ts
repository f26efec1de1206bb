import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '../../scripts/test-servers.mjs';
import { until } from '../support/gateway-client.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { createDatabase, type TestDatabase } from '../support/test-database.js';

const requests = 300;
/** Holds the start and some lines of the failures, but not all of them. */
const diskBytes = 64 * 1024;

describe('the service, when its log cannot be written', () => {
  let database: TestDatabase;
  let proxy: TcpProxy;
  let folder: string;
  let child: ChildProcess | undefined;
  let url: string;

  beforeAll(async () => {
    database = await createDatabase('mariadb');
    proxy = await TcpProxy.to(database.url);
    folder = await mkdtemp(join(tmpdir(), 'rollcall-log-'));
  });
  afterEach(() => {
    child?.kill('SIGKILL');
    proxy.heal();
  });
  afterAll(async () => {
    await proxy.close();
    await database.drop();
    await rm(folder, { recursive: true, force: true });
  });

  const start = async (stdout: 'pipe' | number, under: readonly string[] = []): Promise<ChildProcess> => {
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    const [program = process.execPath, ...args] = [...under, process.execPath, 'dist/main.js'];
    child = spawn(program, args, {
      env: { PATH: process.env.PATH, PORT: `${port}`, DATABASE_URL: proxy.through(database.url) },
      stdio: ['ignore', stdout, 'ignore'],
    });
    await until(async () => (await statusOf('/health/ready')) === 200, 60_000, 50);
    return child;
  };
  const statusOf = (path: string): Promise<number> =>
    fetch(`${url}${path}`, { signal: AbortSignal.timeout(10_000) }).then(
      ({ status }) => status,
      () => 0,
    );
  const lostLines = async (): Promise<number> =>
    Number(/^rollcall_log_lines_lost_total (\d+)/m.exec(await (await fetch(`${url}/metrics`)).text())?.[1]);
  /** Each failure is a line of several kilobytes. */
  const fail = async (): Promise<void> => {
    proxy.refuse();
    for (let sent = 0; sent < requests; sent += 10) {
      const statuses = await Promise.all(Array.from({ length: 10 }, () => statusOf('/no/app/users')));
      expect(statuses).toEqual(Array(10).fill(503));
    }
    expect(await statusOf('/health/live')).toBe(200);
  };
  const expectEnd = async (service: ChildProcess): Promise<void> => {
    const exited = once(service, 'exit');
    service.kill('SIGTERM');
    expect(await exited).toEqual([0, null]);
  };

  it('answers, ends on SIGTERM, and reports once how many lines were lost, when the disk was full and has room again', async () => {
    const path = join(folder, 'log');
    const file = await open(path, 'w');
    // A write beyond the limit fails as on a full disk: first after some bytes, then with none written.
    const service = await start(file.fd, ['prlimit', `--fsize=${diskBytes}:unlimited`]);
    await fail();
    const lost = await lostLines();
    expect(lost).toBeGreaterThan(0);
    expect((await file.stat()).size).toBe(diskBytes);

    await promisify(execFile)('prlimit', ['--pid', `${service.pid}`, '--fsize=unlimited']);
    expect(await statusOf('/no/app/users')).toBe(503);
    await expectEnd(service);
    const written = (await readFile(path, 'utf8')).slice(diskBytes);
    const lines = written
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { msg: string });
    expect(lines.filter(({ msg }) => msg.includes('log lines were lost')).map(({ msg }) => msg)).toEqual([
      expect.stringContaining(`${lost} log lines were lost`),
    ]);
    expect(lines.at(-1)?.msg).toBe('stopping');
    await file.close();
  }, 120_000);

  it('answers and ends on SIGTERM when the reader of its log has stopped reading', async () => {
    const service = await start('pipe');
    // A pipe takes some; the rest waits in the process, up to a bound.
    for (let time = 0; time < 20 && !((await lostLines()) > 0); time += 1) await fail();
    expect(await lostLines()).toBeGreaterThan(0);
    await expectEnd(service);
  }, 120_000);

  it('answers and ends on SIGTERM when the reader of its log has gone', async () => {
    const service = await start('pipe');
    service.stdout?.destroy();
    await fail();
    expect(await lostLines()).toBeGreaterThanOrEqual(requests);
    await expectEnd(service);
  }, 120_000);
});
