import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { fetchableVersions, privateNode } from '../../scripts/set-up/private-node.mjs';
import { isInRange } from '../../scripts/set-up/supported-node.mjs';
import { aBootstrapApp } from '../factories/app.factory.js';
import { ServiceProcess } from '../support/service-process.js';
import { takeTour } from './tour.js';

const { engines } = JSON.parse(readFileSync('package.json', 'utf8')) as { engines: { node: string } };
const supported = fetchableVersions().filter((version) => isInRange(version, engines.node));
const tooOld = fetchableVersions().filter((version) => !isInRange(version, engines.node));
/** Includes the time that fetching one may take. */
const timeoutMs = 180_000;

describe('on each Node.js', () => {
  const app = aBootstrapApp();
  let folder: string;
  let env: Record<string, string>;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rollcall-runtime-'));
    env = { DATABASE_URL: `sqlite:${join(folder, 'database')}`, BOOTSTRAP_APPS: app.text };
  });
  afterEach(async () => {
    ServiceProcess.killAll();
    await rm(folder, { recursive: true, force: true });
  });

  const programOf = (version: string) => privateNode(version, 'the tests run the service on it');

  it('there are versions to try: at least two that run the service, and one that is too old', () => {
    expect(supported.length).toBeGreaterThan(1);
    expect(tooOld).toHaveLength(1);
  });

  it.each(supported)(
    '%s: the built service serves the tour, and exits with 0 on SIGTERM',
    async (version) => {
      const service = await ServiceProcess.run([await programOf(version), 'dist/main.js'], env);
      await takeTour(service.url, app);
      expect(await service.stop()).toBe(0);
    },
    timeoutMs,
  );

  it.each(tooOld)(
    '%s: the built service and the command line refuse in one sentence',
    async (version) => {
      const program = await programOf(version);
      const sentence = `Rollcall needs Node.js ${engines.node}, and this is ${version}`;
      for (const args of [['dist/main.js'], ['dist/cli.js', 'app', 'list']]) {
        const failed = await promisify(execFile)(program, args, { env }).catch((error: unknown) => error);
        expect(failed).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining(sentence) as string });
        expect((failed as { stderr: string }).stderr.trimEnd().split('\n')).toHaveLength(1);
      }
    },
    timeoutMs,
  );

  it.each(tooOld)(
    '%s: set-up runs the service on another one, and SIGTERM to set-up makes it exit with 0',
    async (version) => {
      const program = await programOf(version);
      const service = await ServiceProcess.run([program, 'scripts/prepare.mjs', '--build', 'dist/main.js'], env);
      await takeTour(service.url, app);
      expect(await service.stop()).toBe(0);
      await expect(fetch(`${service.url}/health/live`)).rejects.toThrow();
    },
    timeoutMs,
  );

  it('Ctrl-C drains, although both the terminal and npm send a SIGINT; another one a moment later ends it at once', async () => {
    const drains = { ...env, SHUTDOWN_DRAIN_MS: '2000' };
    const service = await ServiceProcess.run([process.execPath, 'dist/main.js'], drains);
    service.signal('SIGINT');
    await sleep(50);
    service.signal('SIGINT');
    await sleep(500);
    expect((await fetch(`${service.url}/health/ready`)).status).toBe(503);
    expect(await service.ended()).toBe(0);

    const hurried = await ServiceProcess.run([process.execPath, 'dist/main.js'], drains);
    hurried.signal('SIGINT');
    await sleep(1_000);
    hurried.signal('SIGINT');
    expect(await hurried.ended()).toBe(130);
  }, 60_000);

  it('SIGTERM to the npm of npm start ends the service, and npm exits with its code', async () => {
    const service = await ServiceProcess.run(['npm', 'start'], env);
    expect((await fetch(`${service.url}/health/live`)).status).toBe(200);
    expect(await service.stop()).toBe(0);
    await expect(fetch(`${service.url}/health/live`)).rejects.toThrow();
  }, 60_000);
});
