import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureProgram } from '../../scripts/test-servers.mjs';
import { aBootstrapApp } from '../factories/app.factory.js';
import { aUsername } from '../factories/user.factory.js';
import { inTurns } from '../support/cluster.js';
import { runs } from '../support/form.js';
import { removeLimits, ServiceProcess } from '../support/service-process.js';
import { createDatabase, type TestDatabase } from '../support/test-database.js';
import { tokenOf } from '../support/tokens.js';

/** By the system clock, in fractional milliseconds. */
interface Span {
  readonly from: number;
  readonly to: number;
}

const now = (): number => performance.timeOrigin + performance.now();

describe('SQLite syncs the disk before a write is acknowledged', () => {
  const app = aBootstrapApp();
  let folder: string;
  let database: TestDatabase;
  let service: ServiceProcess;
  let token: string;

  beforeAll(async () => {
    const strace = await ensureProgram('strace');
    folder = await mkdtemp(join(tmpdir(), 'rollcall-strace-'));
    database = await createDatabase('sqlite');
    const env = { DATABASE_URL: database.url, BOOTSTRAP_APPS: app.text, PASSWORD_COST: 'm=8,t=1,p=1' };
    // With -D, strace is a grandchild: the process that was started is the service.
    const watch = ['-D', '-f', '-qq', '-ttt', '-T', '-e', 'trace=fsync,fdatasync', '-o', join(folder, 'syncs')];
    service = await ServiceProcess.start(env, [], [strace, ...watch]);
    await removeLimits(app, env);
    token = tokenOf(app);
  }, 180_000);
  afterAll(async () => {
    await service.kill();
    await database.drop();
    await rm(folder, { recursive: true, force: true });
  });

  /** The syncs that the kernel has done, oldest first. */
  const syncs = async (): Promise<Span[]> => {
    const begun = new Map<string, number>();
    const done: Span[] = [];
    for (const line of (await readFile(join(folder, 'syncs'), 'utf8')).split('\n')) {
      const [, thread = '', at, what = ''] = /^(\d+)\s+(\d+\.\d+) (.*)$/.exec(line) ?? [];
      const took = /= 0 <(\d+\.\d+)>$/.exec(what)?.[1];
      if (/^f(data)?sync\(/.test(what)) begun.set(thread, Number(at) * 1000);
      if (took === undefined) continue;
      const from = begun.get(thread) as number;
      done.push({ from, to: from + Number(took) * 1000 });
    }
    return done;
  };
  const register = async (): Promise<Span> => {
    const from = now();
    const { status } = await fetch(`${service.url}/${app.org}/${app.name}/users`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: JSON.stringify({ username: aUsername(), password: 'p' }),
    });
    expect(status).toBe(200);
    return { from, to: now() };
  };

  it(
    'one sync for each, if they come one after the other',
    async () => {
      const before = (await syncs()).length;
      const writes: Span[] = [];
      while (writes.length < runs(200, 2_000)) writes.push(await register());
      const after = (await syncs()).slice(before);
      console.log(`${writes.length} registrations one by one: ${after.length} syncs`);
      expect(after.length).toBeGreaterThanOrEqual(writes.length);
      expect(unsynced(writes, after)).toEqual([]);
    },
    runs(120_000, 900_000),
  );

  it(
    'a sync between each request and its answer, if twenty at a time share commits',
    async () => {
      const before = (await syncs()).length;
      const writes = await inTurns(Array.from({ length: runs(1_000, 20_000) }), 20, register);
      const after = (await syncs()).slice(before);
      console.log(`${writes.length} registrations, twenty at a time: ${after.length} syncs`);
      expect(unsynced(writes, after)).toEqual([]);
      // A commit covers at most twenty, as no more are in progress.
      expect(after.length).toBeGreaterThanOrEqual(writes.length / 20);
    },
    runs(120_000, 900_000),
  );
});

/** Writes whose answer came without a sync that started after the request and ended before the answer. */
function unsynced(writes: readonly Span[], done: readonly Span[]): Span[] {
  // Two processes read the clock, and strace rounds to microseconds.
  const rounding = 0.1;
  return writes.filter(
    ({ from, to }) => !done.some((sync) => sync.from >= from - rounding && sync.to <= to + rounding),
  );
}
