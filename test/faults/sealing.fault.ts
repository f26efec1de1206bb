import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { hex32 } from '../factories/app.factory.js';
import { rowsOf } from '../support/rows.js';
import { runCli, ServiceProcess } from '../support/service-process.js';
import { createDatabase, type TestDatabase } from '../support/test-database.js';

const key = randomBytes(32).toString('base64');
const other = randomBytes(32).toString('hex');

let database: TestDatabase;
let env: Record<string, string>;

beforeEach(async () => {
  database = await createDatabase('sqlite');
  env = { DATABASE_URL: database.url };
  await runCli(['migrate'], env);
});
afterEach(() => database.drop());
afterAll(() => ServiceProcess.killAll());

const certificates = () => rowsOf<{ certificate: string }>(database.url, 'SELECT certificate FROM apps');

it('a start with a wrong key or none ends with one sentence, and one with the key from a file serves', async () => {
  await runCli(['app', 'create', 'a/b'], { ...env, SEALING_KEY: key });
  for (const wrong of ['', other]) {
    const start = ServiceProcess.start({ ...env, SEALING_KEY: wrong });
    await expect(start).rejects.toThrow(
      /^it ended with 1:\nThe environment has 1 bad setting\(s\):\n {2}- SEALING_KEY does not open the certificate of the app [0-9a-f-]{36}: it was sealed with the key [0-9a-f]{8}, which is not among those set\n$/,
    );
    await expect(runCli(['app', 'list'], { ...env, SEALING_KEY: wrong })).rejects.toMatchObject({
      stderr: expect.stringMatching(/^The environment has 1 bad setting/) as string,
    });
  }
  const file = join(dirname(database.url.slice('sqlite:'.length)), 'key');
  await writeFile(file, `${key}\n`);
  const service = await ServiceProcess.start({ ...env, SEALING_KEY_FILE: file });
  await service.stop();
});

it('doctor recommends a key, names apps that are not sealed with it, and what it cannot open', async () => {
  await runCli(['app', 'create', 'a/b'], env);
  const doctor = (sealingKey: string) => runCli(['doctor'], { ...env, SEALING_KEY: sealingKey });
  expect(await doctor('')).toMatch(/^warning +secrets +SEALING_KEY is not set/m);
  expect(await doctor(key)).toMatch(
    /^warning +secrets +those of 1 apps are not sealed with the first key: run reseal$/m,
  );
  expect(await runCli(['reseal'], { ...env, SEALING_KEY: key })).toBe(
    'resealed 1 of 1 apps; the others needed no change',
  );
  expect(await doctor(key)).toMatch(/^ok +secrets +those of 1 apps are sealed$/m);
  await expect(doctor(other)).rejects.toMatchObject({
    code: 1,
    stdout: expect.stringMatching(/^broken +secrets +.*SEALING_KEY does not open/m) as string,
  });
});

it('a certificate comes from standard input or the environment, hidden from the process list', async () => {
  const [fromInput, fromEnvironment] = [hex32(), hex32()];
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, '../../dist/cli.js'), 'app', 'create', 'a/b', '--certificate', '-'],
    { env: { PATH: process.env.PATH, ...env }, stdio: ['pipe', 'ignore', 'inherit'] },
  );
  child.stdin.end(`${fromInput}\n`);
  expect(await once(child, 'close')).toEqual([0, null]);
  await runCli(['app', 'create', 'c/d'], { ...env, ROLLCALL_CERTIFICATE: fromEnvironment });
  expect((await certificates()).map((row) => row.certificate).sort()).toEqual([fromInput, fromEnvironment].sort());
  expect(await runCli(['app', 'create', '--help'], env)).toMatch(/list of\s+processes/);
});
