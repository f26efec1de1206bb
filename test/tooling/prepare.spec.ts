import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
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

// Stands in for the bundler: it needs no more than a folder to be there.
const BUNDLER = `import { mkdirSync } from 'node:fs'; mkdirSync('dist', { recursive: true });`;

describe('prepare.mjs', () => {
  let project: string;

  const write = (path: string, content: string | object) =>
    writeFile(join(project, path), typeof content === 'string' ? content : JSON.stringify(content));
  const read = (path: string) => readFile(join(project, path), 'utf8');

  async function prepare(...args: string[]) {
    const child = spawn(process.execPath, [join(project, 'scripts/prepare.mjs'), ...args]);
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk) => (stdout += chunk));
    child.stderr.on('data', (chunk) => (stderr += chunk));
    const [code] = await once(child, 'close');
    return { code, stdout, stderr };
  }

  beforeEach(async () => {
    project = await mkdtemp(join(tmpdir(), 'rollcall-prepare-'));
    for (const folder of ['src', 'node_modules/typescript/bin'])
      await mkdir(join(project, folder), { recursive: true });
    await cp(SCRIPTS, join(project, 'scripts'), { recursive: true });
    await write('scripts/bundle.mjs', BUNDLER);
    await write('package.json', { name: 'p', version: '1.0.0', engines: { node: '>=20.19' } });
    const packages = { 'node_modules/typescript': { version: '6.0.3' } };
    await write('package-lock.json', { packages: { '': {}, ...packages } });
    await write('node_modules/.package-lock.json', { packages });
    await write('node_modules/typescript/bin/tsc', COMPILER);
    await write('src/main.ts', '');
  });

  afterEach(() => rm(project, { recursive: true, force: true }));

  it('does nothing and says nothing when nothing changed', async () => {
    expect(await prepare('--build')).toMatchObject({ code: 0, stdout: '' });
    expect(await prepare('--build')).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(await read('runs')).toBe('x');
  });

  it('builds again after a change, and removes what a deleted source left behind', async () => {
    await prepare('--build');
    await write('build/deleted.js', '');
    await write('src/main.ts', 'changed');
    expect(await prepare('--build')).toMatchObject({ code: 0, stdout: '' });
    expect(await read('runs')).toBe('xx');
    await expect(read('build/deleted.js')).rejects.toThrow('ENOENT');
  });

  it('does not build for a changed spec', async () => {
    await prepare('--build');
    await write('src/main.spec.ts', '');
    expect(await prepare('--build')).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  it('fails with the output of the compiler, and builds again the next time', async () => {
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

  it('takes over the lock of a process that is gone', async () => {
    const gone = spawn(process.execPath, ['--version'], { stdio: 'ignore' });
    await once(gone, 'close');
    await write('.prepare.lock', String(gone.pid));
    expect(await prepare('--build')).toMatchObject({ code: 0 });
    await expect(read('.prepare.lock')).rejects.toThrow('ENOENT');
  });

  it('names the Node.js that it needs', async () => {
    await write('package.json', { engines: { node: '>=99.1' } });
    const { code, stderr } = await prepare();
    expect(code).toBe(1);
    expect(stderr).toContain('Rollcall needs Node.js >=99.1');
  });
});
