import { spawn } from 'node:child_process';
import { ensureProgram } from '../../scripts/test-servers.mjs';
import { aBootstrapApp, hex32 } from '../factories/app.factory.js';
import { runCli, ServiceProcess } from '../support/service-process.js';
import { createDatabase, type TestDatabase } from '../support/test-database.js';

describe('the output of a start', () => {
  let database: TestDatabase;

  beforeEach(async () => {
    database = await createDatabase('sqlite');
  });
  afterEach(() => database.drop());

  it('includes the credentials of the demo app on a terminal', async () => {
    const script = await ensureProgram('script', 'bsdutils');
    const child = spawn(script, ['-qec', `'${process.execPath}' dist/main.js`, '/dev/null'], {
      env: { PATH: process.env.PATH, PORT: '0', DATABASE_URL: database.url },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let output = '';
    for await (const part of child.stdout.setEncoding('utf8')) {
      output += part as string;
      if (output.includes("-d '{")) break;
    }
    // Its terminal closes with it, which ends the service.
    child.kill('SIGKILL');
    const app = JSON.parse(await runCli(['app', 'list'], { DATABASE_URL: database.url })) as Record<string, string>;
    expect(output).toContain(`App ID             ${app.app_id}`);
    expect(output).toContain(`App certificate    ${app.certificate}`);
    const token = /app token +(\S+)/.exec(output)?.[1] as string;
    expect(output).toMatch(
      new RegExp(`curl -X POST 'http://127.0.0.1:\\d+/demo/demo/users' -H 'Authorization: Bearer ${token}'`),
    );
  });

  it('includes no credentials in a file or a pipe, and says how to get them', async () => {
    const service = await ServiceProcess.start({ DATABASE_URL: database.url, LOG_LEVEL: 'trace' });
    await service.stop();
    expect(service.output).toContain('npm run -s cli -- app list');
    expect(service.output).toContain('npm run -s cli -- token app demo/demo');
    const app = JSON.parse(await runCli(['app', 'list'], { DATABASE_URL: database.url })) as Record<string, string>;
    for (const secret of [app.certificate, app.app_id, 'eyJ']) expect(service.output).not.toContain(secret);
  });

  it('warns of an app that differs between BOOTSTRAP_APPS and the database, and of no other', async () => {
    const [one, other] = [aBootstrapApp({ alias: 'one' }), aBootstrapApp()];
    const start = async (...apps: { text: string }[]): Promise<string[]> => {
      const env = { DATABASE_URL: database.url, BOOTSTRAP_APPS: apps.map(({ text }) => text).join() };
      const service = await ServiceProcess.start(env);
      await service.stop();
      return service.output.split('\n').filter((line) => line.includes('BOOTSTRAP_APPS'));
    };
    expect(await start(one, other)).toEqual([]);
    const certificate = hex32();
    const changed = [aBootstrapApp({ ...one, certificate, alias: null }), aBootstrapApp({ ...other, appId: hex32() })];
    const warnings = await start(...changed);
    expect(warnings.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual([
      `BOOTSTRAP_APPS and the database disagree on ${one.org}/${one.name}: App certificate, alias. The database is right.`,
      `BOOTSTRAP_APPS and the database disagree on ${other.org}/${other.name}: App ID. The database is right.`,
    ]);
    for (const secret of [certificate, one.certificate]) expect(warnings.join()).not.toContain(secret);

    const rotated = JSON.parse(
      await runCli(['app', 'rotate', `${other.org}/${other.name}`], { DATABASE_URL: database.url }),
    ) as { certificate: string };
    expect(await start(one, other)).toEqual([]);
    expect(await start(one, aBootstrapApp({ ...other, certificate: rotated.certificate }))).toEqual([]);
  });
});
