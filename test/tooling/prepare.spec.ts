import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const SCRIPTS = join(import.meta.dirname, '../../scripts');

// Stands in for TypeScript: prepare.mjs needs only its exit code and the list of files that it wrote.
const COMPILER = `
  const fs = require('node:fs'), path = require('node:path');
  if (fs.readFileSync('src/main.ts', 'utf8') === 'broken') { console.log('main.ts(1,1): error'); process.exit(2); }
  fs.mkdirSync('build', { recursive: true });
  fs.appendFileSync('runs', 'x');
  fs.writeFileSync('build/main.js', '');
  console.log('TSFILE: ' + path.resolve('build/main.js'));
`;

// Stands in for the bundler: only the folder has to exist.
const BUNDLER = `import { mkdirSync } from 'node:fs'; mkdirSync('dist', { recursive: true });`;

// Stand in for the addons, which are loaded once after an installation.
const ADDONS = { 'better-sqlite3': 'module.exports = class { close() {} };', '@node-rs/argon2': '' };

describe('prepare.mjs', () => {
  let project: string;

  const write = (path: string, content: string | object) =>
    writeFile(join(project, path), typeof content === 'string' ? content : JSON.stringify(content));
  const read = (path: string) => readFile(join(project, path), 'utf8');

  function start(...args: string[]) {
    const child = spawn(process.execPath, [join(project, 'scripts/prepare.mjs'), ...args]);
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk) => (stdout += chunk));
    child.stderr.on('data', (chunk) => (stderr += chunk));
    const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, stdout, stderr }));
    return { child, ended };
  }
  const prepare = (...args: string[]) => start(...args).ended;

  beforeEach(async () => {
    project = await realpath(await mkdtemp(join(tmpdir(), 'rollcall-prepare-')));
    for (const folder of ['src', 'node_modules/typescript/bin'])
      await mkdir(join(project, folder), { recursive: true });
    await cp(SCRIPTS, join(project, 'scripts'), { recursive: true });
    await write('scripts/bundle.mjs', BUNDLER);
    await write('package.json', { name: 'p', version: '1.0.0', engines: { node: '>=20.19' } });
    const packages = { 'node_modules/typescript': { version: '6.0.3' } };
    await write('package-lock.json', { packages: { '': {}, ...packages } });
    await write('node_modules/.package-lock.json', { packages });
    await write('node_modules/typescript/bin/tsc', COMPILER);
    for (const [addon, source] of Object.entries(ADDONS)) {
      await mkdir(join(project, 'node_modules', addon), { recursive: true });
      await write(`node_modules/${addon}/index.js`, source);
    }
    await write('src/main.ts', '');
  });

  afterEach(() => rm(project, { recursive: true, force: true }));

  it('does nothing and prints nothing when nothing changed', async () => {
    expect(await prepare('--build')).toMatchObject({ code: 0, stdout: '' });
    expect(await prepare('--build')).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(await read('runs')).toBe('x');
  });

  it('reinstalls if an addon does not load, as in a tree from another system, and says so if it still does not', async () => {
    await write('node_modules/better-sqlite3/index.js', "throw new Error('invalid ELF header')");
    await write('package-lock.json', { lockfileVersion: 3, packages: { '': { name: 'p', version: '1.0.0' } } });
    const { code, stderr } = await prepare('--build');
    expect(code).toBe(1);
    expect(stderr).toContain('Installing the packages (npm ci)');
    expect(stderr).toContain('The installation left packages that do not load');
  });

  it('rebuilds after a change, and removes the output of deleted sources', async () => {
    await prepare('--build');
    await write('build/deleted.js', '');
    await write('src/main.ts', 'changed');
    expect(await prepare('--build')).toMatchObject({ code: 0, stdout: '' });
    expect(await read('runs')).toBe('xx');
    await expect(read('build/deleted.js')).rejects.toThrow('ENOENT');
  });

  it('does not rebuild for a changed spec', async () => {
    await prepare('--build');
    await write('src/main.spec.ts', '');
    expect(await prepare('--build')).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  it('fails with the output of the compiler, and rebuilds the next time', async () => {
    await write('src/main.ts', 'broken');
    const { code, stderr } = await prepare('--build');
    expect(code).toBe(1);
    expect(stderr).toContain('main.ts(1,1): error');
    await write('src/main.ts', '');
    expect(await prepare('--build')).toMatchObject({ code: 0 });
    expect(await read('runs')).toBe('x');
  });

  it('builds once when two commands start together', async () => {
    const both = await Promise.all([prepare('--build'), prepare('--build')]);
    expect(both).toMatchObject([{ code: 0 }, { code: 0 }]);
    expect(await read('runs')).toBe('x');
  });

  it('takes over the lock of a process that has exited', async () => {
    const gone = spawn(process.execPath, ['--version'], { stdio: 'ignore' });
    await once(gone, 'close');
    await write('.prepare.lock', String(gone.pid));
    expect(await prepare('--build')).toMatchObject({ code: 0 });
    await expect(read('.prepare.lock')).rejects.toThrow('ENOENT');
  });

  it('runs the program in the same process, with the rest of the arguments', async () => {
    await write('program.mjs', 'console.log(JSON.stringify([process.pid, process.ppid, process.argv.slice(1)]))');
    const { child, ended } = start('--build', 'program.mjs', '--flag', 'value');
    const { code, stdout } = await ended;
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual([child.pid, process.pid, [join(project, 'program.mjs'), '--flag', 'value']]);
  });

  it('leaves signals to the program', async () => {
    await write(
      'program.mjs',
      "process.on('SIGTERM', () => process.exit(9)); console.log(); setInterval(() => {}, 1e6)",
    );
    const { child, ended } = start('--build', 'program.mjs');
    await once(child.stdout, 'data');
    child.kill('SIGTERM');
    expect(await ended).toMatchObject({ code: 9 });
  });
});
