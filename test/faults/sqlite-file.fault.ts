import { execFile } from 'node:child_process';
import { chmod, copyFile, mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type BetterSqlite3 from 'better-sqlite3';
import { aBootstrapApp } from '../factories/app.factory.js';
import { retryTimingTests } from '../support/form.js';
import { rowsOf } from '../support/rows.js';
import { runCli, ServiceProcess } from '../support/service-process.js';
import { tokenOf } from '../support/tokens.js';

const Sqlite = createRequire(import.meta.url)('better-sqlite3') as typeof BetterSqlite3;
const cli = join(import.meta.dirname, '../../dist/cli.js');

retryTimingTests();

describe('the SQLite file of the service', () => {
  const app = aBootstrapApp();
  let folder: string;
  let file: string;
  let service: ServiceProcess | null = null;

  const start = async (): Promise<ServiceProcess> => {
    service = await ServiceProcess.start({
      DATABASE_URL: `sqlite:${file}`,
      BOOTSTRAP_APPS: app.text,
      PASSWORD_COST: 'm=8,t=1,p=1',
      SHUTDOWN_DRAIN_MS: '0',
    });
    return service;
  };
  const register = async ({ url }: ServiceProcess, username: string): Promise<number> => {
    const response = await fetch(`${url}/${app.org}/${app.name}/users`, {
      method: 'POST',
      headers: { authorization: `Bearer ${tokenOf(app)}` },
      body: JSON.stringify({ username, password: 'secret' }),
    });
    return response.status;
  };

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rollcall-file-'));
    file = join(folder, 'made', 'for', 'it', 'rollcall.sqlite');
  });
  afterEach(async () => {
    await service?.kill();
    service = null;
    await rm(folder, { recursive: true, force: true });
  });
  afterAll(() => ServiceProcess.killAll());

  it('is complete after SIGTERM: a copy of the main file has everything acknowledged, and no journal remains', async () => {
    const running = await start();
    expect(await register(running, 'first')).toBe(200);
    expect(await running.stop()).toBe(0);
    expect(await readdir(join(file, '..'))).toEqual(['rollcall.sqlite']);
    const copy = join(folder, 'copy.sqlite');
    await copyFile(file, copy);
    expect(await rowsOf(`sqlite:${copy}`, 'SELECT username FROM users')).toEqual([{ username: 'first' }]);
  }, 60_000);

  it('is accessible to its owner only, like its folders and the files beside it; existing folders keep their mode', async () => {
    const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);
    await mkdir(join(folder, 'made'));
    await chmod(join(folder, 'made'), 0o755);
    await register(await start(), 'first');
    expect(await modeOf(join(folder, 'made'))).toBe('755');
    for (const created of [join(folder, 'made', 'for'), join(file, '..')]) expect(await modeOf(created)).toBe('700');
    for (const created of ['', '-wal', '-shm']) expect(await modeOf(`${file}${created}`)).toBe('600');
  }, 60_000);

  it('locked by another program for 3 s delays writes and nothing else', async () => {
    const running = await start();
    expect(await register(running, 'before')).toBe(200);
    const other = new Sqlite(file);
    other.exec('BEGIN IMMEDIATE');
    const written = Promise.all([register(running, 'one'), register(running, 'two')]);
    const slowest = { live: 0, ready: 0 };
    for (const until = performance.now() + 3_000; performance.now() < until;)
      for (const probe of ['live', 'ready'] as const) {
        const requestedAt = performance.now();
        expect((await fetch(`${running.url}/health/${probe}`)).status).toBe(200);
        slowest[probe] = Math.max(slowest[probe], performance.now() - requestedAt);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    other.exec('COMMIT');
    other.close();
    expect(await written).toEqual([200, 200]);
    expect(await register(running, 'after')).toBe(200);
    expect(slowest.live).toBeLessThan(100);
    expect(slowest.ready).toBeLessThan(100);
  }, 60_000);

  it('locked for longer: 503 with Retry-After for writes after 5 s, and they work again when it is free', async () => {
    const running = await start();
    const other = new Sqlite(file);
    other.exec('BEGIN IMMEDIATE');
    const requestedAt = performance.now();
    expect(await register(running, 'first')).toBe(503);
    expect(performance.now() - requestedAt).toBeGreaterThan(4_900);
    other.exec('COMMIT');
    other.close();
    expect(await register(running, 'first')).toBe(200);
  }, 60_000);

  it('is never created by the command line, except by migrate; a command in the wrong folder says where it looked', async () => {
    const run = (args: string[]) =>
      new Promise<{ code: unknown; output: string }>((resolve) => {
        const env = { PATH: process.env.PATH, DATABASE_URL: 'sqlite:./data/rollcall.sqlite' };
        execFile(process.execPath, [cli, ...args], { cwd: folder, env }, (error, stdout, stderr) =>
          resolve({ code: error?.code ?? 0, output: `${stdout}${stderr}`.trim() }),
        );
      });
    const missing = `there is no database at ${join(folder, 'data', 'rollcall.sqlite')}: `;
    for (const args of [['app', 'list'], ['app', 'create', 'o/a'], ['token', 'app', 'demo/demo'], ['expire']]) {
      const { code, output } = await run(args);
      expect([code, output]).toEqual([1, expect.stringContaining(missing)]);
      expect(output.split('\n')).toHaveLength(1);
    }
    expect(await run(['doctor'])).toEqual({
      code: 1,
      output: expect.stringMatching(`broken +database +${missing}`) as unknown,
    });
    expect(await readdir(folder)).toEqual([]);
    expect((await run(['migrate'])).code).toBe(0);
    expect((await run(['app', 'list'])).code).toBe(0);
    expect(await runCli(['doctor'], { DATABASE_URL: `sqlite:${join(folder, 'data', 'rollcall.sqlite')}` })).toMatch(
      /file intact\n[^]*^ok +database +accepts writes$/m,
    );
  }, 60_000);
});
