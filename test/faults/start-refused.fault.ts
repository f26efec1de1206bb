import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDatabase, type TestDatabase } from '../support/test-database.js';

const nobody = 65_534;
const isRoot = process.getuid?.() === 0;

describe('a start that cannot succeed', () => {
  let folder: string;
  let server: TestDatabase;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rollcall-start-'));
    await chmod(folder, 0o755);
    server = await createDatabase('mariadb');
  });
  afterAll(async () => {
    await server.drop();
    await rm(folder, { recursive: true, force: true });
  });

  /** Runs the service to its end; as another user if this is root, who may do everything. */
  const start = async (env: Readonly<Record<string, string>>, unprivileged = false) => {
    const child = spawn(process.execPath, ['dist/main.js'], {
      env: { PATH: process.env.PATH, PORT: '0', DATABASE_URL: 'sqlite::memory:', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(unprivileged && isRoot ? { uid: nobody, gid: nobody } : {}),
    });
    let [output, errors] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (part: string) => (output += part));
    child.stderr.setEncoding('utf8').on('data', (part: string) => (errors += part));
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, output, errors: errors.trim() };
  };
  /** In one sentence, on the first attempt. */
  const expectRefusal = async (env: Readonly<Record<string, string>>, sentence: RegExp, unprivileged = false) => {
    const { code, output, errors } = await start(env, unprivileged);
    expect(errors).toMatch(sentence);
    expect(errors.split('\n')).toHaveLength(1);
    expect(output).toBe('');
    expect(code).toBe(1);
  };
  const mysqlUrl = (change: (url: URL) => void): string => {
    const url = new URL(server.url);
    change(url);
    return url.href;
  };

  it('names a host that does not exist, or is not this machine', async () => {
    await expectRefusal({ HOST: 'nowhere.invalid' }, /^HOST: there is no address for nowhere\.invalid/);
    // Reserved for documentation, so no machine has it.
    await expectRefusal({ HOST: '203.0.113.1' }, /^HOST: 203\.0\.113\.1 is no address of this machine/);
  });

  it('names a wrong password and an unknown database, without the password', async () => {
    const wrong = mysqlUrl((url) => (url.password = 'canary'));
    await expectRefusal(
      { DATABASE_URL: wrong },
      /^DATABASE_URL: the server at \S+ refused the connection: Access denied for user (?!.*canary)/,
    );
    const unknown = mysqlUrl((url) => (url.pathname = '/there_is_none'));
    await expectRefusal(
      { DATABASE_URL: unknown },
      /^DATABASE_URL: the server at \S+ refused the connection: Unknown database/,
    );
  });

  it('says what is wrong with the SQLite file', async () => {
    const file = join(folder, 'a-file');
    await writeFile(file, 'This is no database, and it is longer than the head of one would be. '.repeat(20));
    await expectRefusal({ DATABASE_URL: `sqlite:${folder}` }, /^DATABASE_URL: \S+ cannot be used: it is a folder$/);
    await expectRefusal(
      { DATABASE_URL: `sqlite:${file}` },
      /^DATABASE_URL: \S+ cannot be used: file is not a database$/,
    );
    await expectRefusal({ DATABASE_URL: `sqlite:${file}/x` }, /^DATABASE_URL: \S+ cannot be used: /);
  });

  it('names a folder or a file that is not writable', async () => {
    const closed = join(folder, 'closed');
    await mkdir(closed);
    const inside = join(closed, 'a.sqlite');
    const started = await start({ DATABASE_URL: `sqlite:${inside}`, PORT: '0', HOST: '203.0.113.1' });
    expect(started.code).toBe(1);
    for (const path of [inside, closed]) {
      await chmod(path, path === closed ? 0o555 : 0o444);
      if (isRoot) await chown(path, 0, 0);
    }
    const other = `sqlite:${join(closed, 'b.sqlite')}`;
    await expectRefusal(
      { DATABASE_URL: other },
      /^DATABASE_URL: \S+ cannot be used: the folder \S+ is not writable$/,
      true,
    );
    await expectRefusal({ DATABASE_URL: `sqlite:${inside}` }, /^DATABASE_URL: \S+ cannot be used: /, true);
    const below = `sqlite:${join(closed, 'new', 'c.sqlite')}`;
    await expectRefusal({ DATABASE_URL: below }, /^DATABASE_URL: \S+ cannot be used: /, true);
    await chmod(closed, 0o755);
  });

  it('waits for an unreachable server, with a line for each attempt, and then gives up', async () => {
    const { code, output, errors } = await start({ DATABASE_URL: 'mysql://u:canary@127.0.0.1:9/chat' });
    expect(errors).toMatch(
      /^DATABASE_URL: the server at 127\.0\.0\.1:9 cannot be reached: connect ECONNREFUSED [^\n]*$/,
    );
    const lines = output
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { msg: string }).msg);
    expect(lines).toHaveLength(9);
    expect(lines[0]).toBe('127.0.0.1:9 cannot be reached: connect ECONNREFUSED 127.0.0.1:9. Retrying (1 of 9)');
    expect(code).toBe(1);
  });
});
