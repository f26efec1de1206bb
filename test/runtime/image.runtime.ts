import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { aBootstrapApp } from '../factories/app.factory.js';
import { ServiceProcess } from '../support/service-process.js';
import { takeTour } from './tour.js';

const dockerfile = readFileSync('Dockerfile', 'utf8');

describe('the image', () => {
  let folder: string;

  beforeAll(async () => {
    // In a folder without a node_modules in its parents.
    folder = await mkdtemp(join(tmpdir(), 'rollcall-image-'));
    await promisify(execFile)(process.execPath, ['scripts/image-folder.mjs', folder]);
    await mkdir(join(folder, 'data'));
  });
  afterAll(async () => {
    ServiceProcess.killAll();
    await rm(folder, { recursive: true, force: true });
  });

  it('contains only dist/ and the packages excluded from the bundle, in less than 40 MB', async () => {
    expect((await readdir(folder)).sort()).toEqual(['data', 'dist', 'node_modules', 'package.json']);
    const { dependencies } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as {
      dependencies: object;
    };
    const names = Object.keys(dependencies);
    const [binary, ...others] = names.filter(
      (name) => !['better-sqlite3', '@node-rs/argon2', 'swagger-ui-dist'].includes(name),
    );
    expect(others).toEqual([]);
    expect(binary).toMatch(new RegExp(`^@node-rs/argon2-${process.platform}-${process.arch}`));
    const installed = await readdir(join(folder, 'node_modules'));
    expect(installed.sort()).toEqual(['@node-rs', 'better-sqlite3', 'swagger-ui-dist']);
    expect((await readdir(join(folder, 'node_modules/@node-rs'))).sort()).toEqual([
      'argon2',
      binary?.slice('@node-rs/'.length),
    ]);

    const files = await readdir(folder, { recursive: true, withFileTypes: true });
    const sizes = await Promise.all(
      files.filter((file) => file.isFile()).map(async (file) => (await stat(join(file.parentPath, file.name))).size),
    );
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(40_000_000);
  });

  it('runs the service from these alone: the tour, the API documents, the command line, SIGTERM', async () => {
    const app = aBootstrapApp();
    const env = { DATABASE_URL: 'sqlite:./data/rollcall.sqlite', BOOTSTRAP_APPS: app.text };
    const service = await ServiceProcess.run([process.execPath, 'dist/main.js'], env, folder);
    await takeTour(service.url, app);
    const page = await (await fetch(`${service.url}/docs`)).text();
    const assets = [...page.matchAll(/(?:src|href)="([^"]+\.(?:js|css|png))"/g)].map(([, asset]) => asset as string);
    expect(assets.length).toBeGreaterThan(3);
    for (const asset of assets)
      expect([asset, (await fetch(new URL(asset, `${service.url}/docs`))).status]).toEqual([asset, 200]);
    const list = [join(folder, 'dist/cli.js'), 'app', 'list'];
    const { stdout } = await promisify(execFile)(process.execPath, list, {
      cwd: folder,
      env: { ...process.env, ...env },
    });
    expect(stdout).toContain(`${app.org}/${app.name}`);
    expect(await service.stop()).toBe(0);
  }, 60_000);

  it.each([
    ['better-sqlite3', ['main.js'], 'SQLite does not load on'],
    ['better-sqlite3', ['cli.js', 'app', 'list'], 'SQLite does not load on'],
    ['@node-rs/argon2', ['main.js'], 'A package does not load on'],
  ])(
    'says at once what to do if the addon of %s was built for another system (%j)',
    async (addon, [script, ...args], sentence) => {
      const other = await mkdtemp(join(tmpdir(), 'rollcall-other-'));
      try {
        await cp(folder, other, { recursive: true });
        const files = await readdir(other, { recursive: true });
        const binaries = files.filter((file) => file.includes(addon) && file.endsWith('.node'));
        for (const file of binaries) await writeFile(join(other, file), 'for another system');
        const env = { DATABASE_URL: 'sqlite::memory:', PORT: '0' };
        const startedAt = performance.now();
        const run = promisify(execFile)(process.execPath, [`dist/${script}`, ...args], { cwd: other, env });
        const failed = (await run.catch((error: unknown) => error)) as { code: number; stdout: string; stderr: string };
        expect(failed).toMatchObject({ code: 1, stdout: '' });
        expect(failed.stderr).toContain(sentence);
        expect(failed.stderr).toContain('Install the packages on this machine: npm ci');
        expect(failed.stderr).not.toContain('    at ');
        // TypeORM would try to connect ten times, a second apart.
        expect(performance.now() - startedAt).toBeLessThan(9_000);
      } finally {
        await rm(other, { recursive: true, force: true });
      }
    },
  );

  it('is built on the Node.js of .nvmrc, and is unhealthy only if the process does not answer', () => {
    expect(dockerfile).toContain(`node:${readFileSync('.nvmrc', 'utf8').trim()}-bookworm-slim`);
    expect(dockerfile).toMatch(/^HEALTHCHECK [^]*\/health\/live`/m);
    expect(dockerfile).not.toContain('/health/ready`');
  });
});
