import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { TcpProxy } from '../support/tcp-proxy.js';
import { createDatabase, type TestDatabase } from '../support/test-database.js';

/** Signals wait while modules are loaded, which takes a while on a busy machine. */
/** A start takes a second; on two processors shared by three suites, a few. */
const promptlyMs = 6_000;

describe('SIGTERM during the start', () => {
  const children: ChildProcess[] = [];
  let database: TestDatabase;

  const spawnService = (databaseUrl: string): ChildProcess => {
    const child = spawn(process.execPath, ['dist/main.js'], {
      env: { PATH: process.env.PATH, PORT: '0', DATABASE_URL: databaseUrl },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    children.push(child);
    return child;
  };
  /** @returns its exit code or the signal that ended it, and how long that took */
  const terminate = async (child: ChildProcess): Promise<{ end: number | string | null; ms: number }> => {
    const startedAt = performance.now();
    const exited = once(child, 'exit') as Promise<[number | null, string | null]>;
    child.kill('SIGTERM');
    const [code, signal] = await exited;
    return { end: code ?? signal, ms: performance.now() - startedAt };
  };
  const reportsWaiting = async (child: ChildProcess): Promise<void> => {
    let printed = '';
    for await (const part of child.stdout?.setEncoding('utf8') ?? []) {
      printed += part as string;
      if (/database/i.test(printed)) return;
    }
  };

  beforeAll(async () => {
    database = await createDatabase('sqlite');
  });
  afterAll(async () => {
    for (const child of children) child.kill('SIGKILL');
    await database.drop();
  });

  it.each([0, 50, 100, 200, 300, 450, 600, 900, 1_200])('ends it promptly after %d ms', async (afterMs) => {
    const child = spawnService(database.url);
    await sleep(afterMs);
    const { end, ms } = await terminate(child);
    // A process that has not run its first line yet is ended by the signal itself.
    expect([0, 'SIGTERM']).toContain(end);
    expect(ms).toBeLessThan(promptlyMs);
  });

  it('ends it promptly, with 0, while it waits for an unreachable MySQL', async () => {
    const child = spawnService('mysql://root:secret@127.0.0.1:9/rollcall');
    await reportsWaiting(child);
    const { end, ms } = await terminate(child);
    expect(end).toBe(0);
    expect(ms).toBeLessThan(promptlyMs);
  });

  it('ends it promptly, with 0, while it waits for a MySQL that does not answer', async () => {
    const server = await createDatabase('mariadb');
    const proxy = await TcpProxy.to(server.url);
    proxy.hold();
    try {
      const child = spawnService(proxy.through(server.url));
      await reportsWaiting(child);
      const { end, ms } = await terminate(child);
      expect(end).toBe(0);
      expect(ms).toBeLessThan(promptlyMs);
    } finally {
      await proxy.close();
      await server.drop();
    }
  });
});
