import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { isInRange } from '../../scripts/set-up/supported-node.mjs';

const root = join(import.meta.dirname, '../..');
const timeoutMs = 60_000;

// Stands in for a newer Node.js. It prints what it was asked to run, and exits with its own code.
const NEWER_NODE = `#!/bin/sh
trap 'echo terminated; exit 3' TERM
case "$*" in *wait*) echo waiting; while :; do sleep 0.05; done;; esac
echo "private $*"
exit 7
`;

describe('a Node.js that is too old', () => {
  let project: string;
  let registry: Server;
  let environment: NodeJS.ProcessEnv;
  let fetched: number;

  /** @param integrity the hash that the project has pinned for the package */
  async function write(integrity: string): Promise<void> {
    const binaries = {
      [`${process.platform}-${process.arch}`]: { package: 'a-node', integrity: { '99.0.0': integrity } },
    };
    await writeFile(join(project, 'scripts/set-up/node-binaries.json'), JSON.stringify(binaries));
  }

  function start(...args: string[]) {
    const child = spawn(process.execPath, [join(project, 'scripts/prepare.mjs'), ...args], { env: environment });
    const printed = { code: null as number | null, stdout: '', stderr: '' };
    child.stdout.on('data', (chunk) => (printed.stdout += chunk));
    child.stderr.on('data', (chunk) => (printed.stderr += chunk));
    const ended = once(child, 'close').then(([code]) => ({ ...printed, code: code as number | null }));
    return { child, ended };
  }

  /** A registry of one package, as npm queries it. */
  async function startRegistry(tarball: Buffer, integrity: string): Promise<void> {
    registry = createServer((request, response) => {
      if (request.url?.endsWith('.tgz')) {
        fetched += 1;
        response.end(tarball);
        return;
      }
      const url = `http://127.0.0.1:${(registry.address() as AddressInfo).port}/a-node.tgz`;
      const version = { name: 'a-node', version: '99.0.0', dist: { tarball: url, integrity } };
      response.end(JSON.stringify({ name: 'a-node', versions: { '99.0.0': version }, 'dist-tags': {} }));
    }).listen(0, '127.0.0.1');
    await once(registry, 'listening');
  }

  beforeEach(async () => {
    fetched = 0;
    project = await mkdtemp(join(tmpdir(), 'rollcall-node-'));
    await cp(join(root, 'scripts'), join(project, 'scripts'), { recursive: true });
    await writeFile(join(project, 'package.json'), JSON.stringify({ engines: { node: '>=99.0.0' } }));
    await writeFile(join(project, '.nvmrc'), '99.0.0\n');
    const files = join(project, 'registry');
    await mkdir(join(files, 'package/bin'), { recursive: true });
    await writeFile(join(files, 'package/package.json'), JSON.stringify({ name: 'a-node', version: '99.0.0' }));
    await writeFile(join(files, 'package/bin/node'), NEWER_NODE);
    await chmod(join(files, 'package/bin/node'), 0o755);
    await promisify(execFile)('tar', ['-czf', join(files, 'a-node.tgz'), '-C', files, 'package']);
    const tarball = await readFile(join(files, 'a-node.tgz'));
    const integrity = `sha512-${createHash('sha512').update(tarball).digest('base64')}`;
    await startRegistry(tarball, integrity);
    await write(integrity);
    environment = {
      ...process.env,
      npm_config_registry: `http://127.0.0.1:${(registry.address() as AddressInfo).port}/`,
      npm_config_cache: join(project, 'cache'),
    };
  });

  afterEach(async () => {
    registry.close();
    await rm(project, { recursive: true, force: true });
  });

  it(
    'is replaced by one from npm, once, which takes over with the same arguments and determines the exit code',
    async () => {
      const prepare = join(project, 'scripts/prepare.mjs');
      const first = await start('--build', 'dist/cli.js', 'app', 'list').ended;
      expect(first).toMatchObject({ code: 7, stdout: `private ${prepare} --build dist/cli.js app list\n` });
      expect(first.stderr.trimEnd().split('\n')).toEqual([expect.stringContaining('Fetching Node.js 99.0.0')]);
      expect(await readdir(join(project, '.node'))).toEqual(['99.0.0']);
      expect(await start('x').ended).toEqual({ code: 7, stdout: `private ${prepare} x\n`, stderr: '' });
      expect(fetched).toBe(1);
    },
    timeoutMs,
  );

  it(
    'is replaced once when two commands start together',
    async () => {
      const both = await Promise.all([start('one').ended, start('other').ended]);
      expect(both.map(({ code }) => code)).toEqual([7, 7]);
      expect(fetched).toBe(1);
    },
    timeoutMs,
  );

  it(
    'passes signals on to the one that took over',
    async () => {
      const { child, ended } = start('wait');
      // If one could not be fetched, it exits without output on stdout; the reason is printed below.
      await Promise.race([once(child.stdout, 'data'), ended]);
      child.kill('SIGTERM');
      expect(await ended).toMatchObject({ code: 3, stdout: 'waiting\nterminated\n' });
    },
    timeoutMs,
  );

  it(
    'is not replaced by a package whose hash is not pinned',
    async () => {
      await write(`sha512-${'A'.repeat(86)}==`);
      const { code, stdout, stderr } = await start('x').ended;
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toContain('EINTEGRITY');
      expect(stderr).toContain('Node.js 99.0.0 could not be fetched');
      expect(await readdir(join(project, '.node'))).not.toContain('99.0.0');
    },
    timeoutMs,
  );

  it('is refused with the required version if no package has a newer one', async () => {
    await writeFile(join(project, 'scripts/set-up/node-binaries.json'), '{}');
    const { code, stderr } = await start('x').ended;
    expect(code).toBe(1);
    expect(stderr).toContain(`Rollcall needs Node.js >=99.0.0; this is ${process.versions.node}`);
  });
});

describe('the range of engines', () => {
  const range = '^22.14.0 || >=24.11.0';

  it.each(['22.14.0', '22.23.3', '24.11.0', '24.21.0', '25.0.0', '26.10.0'])('includes %s', (version) => {
    expect(isInRange(version, range)).toBe(true);
  });

  it.each(['18.20.8', '20.20.2', '22.13.1', '23.11.0', '24.10.9'])('excludes %s', (version) => {
    expect(isInRange(version, range)).toBe(false);
  });
});
