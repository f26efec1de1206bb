import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const root = join(import.meta.dirname, '../..');
const runFile = promisify(execFile);
const copied = ['src', 'test/support', 'test/factories', 'test/sql', 'test/engine.d.ts', 'scripts'];
const config = 'tsconfig.first-route.json';

/** Follows CONTRIBUTING.md's instructions for a newcomer in a copy of the project. */
describe('"Your first route" of CONTRIBUTING.md', () => {
  let copy: string;

  const read = (path: string) => readFile(join(copy, path), 'utf8');
  const write = (path: string, text: string) => writeFile(join(copy, path), text);
  /** What a program of the project prints; fails with that output if the program fails. */
  async function run(...args: string[]): Promise<string> {
    const env = { ...process.env, NODE_ENV: 'test' };
    const ended = await runFile(process.execPath, args, { cwd: copy, env }).catch((error: unknown) => error);
    const { stdout, stderr } = ended as { stdout: string; stderr: string };
    if (ended instanceof Error) throw new Error(`${ended.message}\n${stdout}\n${stderr}`);
    return `${stdout}\n${stderr}`;
  }

  beforeAll(async () => {
    copy = await mkdtemp(join(tmpdir(), 'rollcall-first-route-'));
    for (const path of [...copied, 'package.json', 'tsconfig.json', 'jest.config.mjs'])
      await cp(join(root, path), join(copy, path), { recursive: true });
    for (const path of ['node_modules', '.test-packages']) await symlink(join(root, path), join(copy, path));
  });
  afterAll(() => rm(copy, { recursive: true, force: true }));

  it('leads to a passing test and to code that compiles', async () => {
    const document = await readFile(join(root, 'CONTRIBUTING.md'), 'utf8');
    const steps = document.slice(document.indexOf('## Your first route'));
    const [test = '', route = ''] = [...steps.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code = '']) => code);
    const [testPath = '', controllerPath = ''] = [...steps.matchAll(/, in `([^`]+\.ts)`/g)].map(
      ([, path = '']) => path,
    );
    const [, command = ''] = /`npm test -- ([^`]+)`/.exec(steps) ?? [];

    await mkdir(dirname(join(copy, testPath)), { recursive: true });
    await write(testPath, test);
    // After the last handler of the class.
    await write(
      controllerPath,
      (await read(controllerPath)).replace(/\n}\n/, () => `\n\n${route}}\n`),
    );
    const files = [testPath, controllerPath, 'test/engine.d.ts'];
    await write(config, JSON.stringify({ extends: './tsconfig.json', include: [], files }));

    const [tested] = await Promise.all([
      run('--experimental-vm-modules', 'node_modules/jest/bin/jest.js', ...command.split(' ')),
      run('node_modules/typescript/bin/tsc', '--noEmit', '-p', config),
    ]);
    expect(tested).toMatch(/Tests: +1 passed, 1 total/);
  }, 120_000);
});
