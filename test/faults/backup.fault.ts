import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { openSqlite } from '../../src/database/sqlite-copy.js';
import { aBootstrapApp } from '../factories/app.factory.js';
import { Ledger } from '../support/ledger.js';
import { runs } from '../support/form.js';
import { removeLimits, runCli, ServiceProcess } from '../support/service-process.js';
import { createDatabase, type TestDatabase } from '../support/test-database.js';
import { tokenOf } from '../support/tokens.js';

const backups = runs(2, 20);
/** The database takes a backup several steps. */
const fillerBytes = 16 * 1024 * 1024;
/** A backup of this little that does not finish in this time keeps starting over. */
const backupWithinMs = 30_000;

describe('backup and restore of SQLite', () => {
  const app = aBootstrapApp();
  let database: TestDatabase;
  let folder: string;
  let service: ServiceProcess | undefined;
  let ledger: Ledger;

  const environment = () => ({
    DATABASE_URL: database.url,
    BOOTSTRAP_APPS: app.text,
    PASSWORD_COST: 'm=8,t=1,p=1',
  });
  const path = () => database.url.slice('sqlite:'.length);
  const filesBeside = (name: string) => readdirSync(folder).filter((file) => file.startsWith(name));

  beforeEach(async () => {
    database = await createDatabase('sqlite');
    folder = join(path(), '..');
    service = await ServiceProcess.start(environment());
    await removeLimits(app, environment());
    const sqlite = openSqlite(path());
    sqlite.exec(`CREATE TABLE filler AS SELECT zeroblob(${fillerBytes}) AS bytes`);
    sqlite.close();
    ledger = new Ledger('b', () => `${(service as ServiceProcess).url}/${app.org}/${app.name}`, tokenOf(app));
  });
  afterEach(async () => {
    ledger.stopped = true;
    await service?.kill();
    await database.drop();
  });
  afterAll(() => ServiceProcess.killAll());

  it(
    'under load contains everything acknowledged before it began, and nothing partial; once restored, it is served',
    async () => {
      const written = ledger.start();
      const moments: { file: string; before: Ledger; tookMs: number; meanwhile: number }[] = [];
      for (let round = 0; round < backups; round += 1) {
        await ledger.untilMore(300);
        const file = join(folder, `backup-${round}.sqlite`);
        const before = ledger.snapshot();
        const startedAt = performance.now();
        await runCli(['backup', file], environment());
        moments.push({ file, before, tookMs: performance.now() - startedAt, meanwhile: ledger.acks - before.acks });
      }
      await expect(runCli(['restore', moments[0]?.file as string], environment())).rejects.toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/a service or another command uses the database .*: stop it first/) as string,
      });
      ledger.stopped = true;
      await written;
      for (const { tookMs, meanwhile } of moments) {
        console.log(`backup: ${Math.round(tookMs)} ms, ${meanwhile} writes were acknowledged meanwhile`);
        expect(tookMs).toBeLessThan(backupWithinMs);
        expect(meanwhile).toBeGreaterThan(0);
      }
      await service?.stop();
      await ledger.expectNothingLost(database.url);

      for (const { file, before } of moments) {
        expect(statSync(file).mode & 0o777).toBe(0o600);
        await runCli(['restore', file], environment());
        await before.expectNothingLost(database.url);
      }
      expect(filesBeside('rollcall.sqlite.replaced-')).toHaveLength(moments.length);
      service = await ServiceProcess.start(environment());
      const [known] = moments[0]?.before.registered ?? [];
      const answer = await fetch(`${service.url}/${app.org}/${app.name}/users/${known}`, {
        headers: { authorization: `Bearer ${tokenOf(app)}` },
      });
      expect(answer.status).toBe(200);
    },
    runs(120_000, 1_200_000),
  );

  it.each(['SIGKILL', 'SIGTERM', 'SIGINT'] as const)(
    'interrupted by %s, it leaves nothing under the name of the backup',
    async (signal) => {
      const file = join(folder, 'backup.sqlite');
      const preload = join(import.meta.dirname, '../support/suspend-at-half.mjs');
      const cli = join(import.meta.dirname, '../../dist/cli.js');
      const child = spawn(process.execPath, ['--import', preload, cli, 'backup', file], {
        env: { PATH: process.env.PATH, ...environment() },
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      const closed = once(child, 'close');
      let printed = '';
      child.stderr.setEncoding('utf8');
      for await (const part of child.stderr as AsyncIterable<string>) {
        printed += part;
        if (!printed.includes('50 %')) continue;
        expect(filesBeside('backup.sqlite.partial-').length).toBeGreaterThan(0);
        child.kill(signal);
        break;
      }
      // It may suspend itself only after it was told to continue.
      const resume = setInterval(() => child.kill('SIGCONT'), 20);
      const [code, endedBy] = (await closed) as [number | null, string | null];
      clearInterval(resume);
      expect(printed).toContain('50 %');
      expect(existsSync(file)).toBe(false);
      if (signal === 'SIGKILL') expect(endedBy).toBe('SIGKILL');
      else {
        expect(code).toBe(1);
        expect(filesBeside('backup.sqlite')).toEqual([]);
      }
      // What a killed one left behind does not matter.
      await runCli(['backup', file], environment());
      expect(existsSync(file)).toBe(true);
    },
    60_000,
  );
});
