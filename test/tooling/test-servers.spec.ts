import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ensureProgram, type TestServer, startRedis } from '../../scripts/test-servers.mjs';

function isListening(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

describe('test-servers.mjs', () => {
  let server: TestServer | undefined;

  afterEach(() => server?.stop());

  it('starts a server that answers, and stops it', async () => {
    server = await startRedis();
    expect(await isListening(server.url)).toBe(true);
    await server.stop();
    expect(await isListening(server.url)).toBe(false);
  });

  it('restarts on the same port as another process', async () => {
    server = await startRedis();
    const { url, pid } = server;
    await server.restart();
    expect(server.url).toBe(url);
    expect(server.pid).not.toBe(pid);
    expect(await isListening(url)).toBe(true);
  });

  it('leaves no server behind when its owner is killed', async () => {
    const script = join(import.meta.dirname, '../../scripts/test-servers.mjs');
    const owner = spawn(process.execPath, [
      '--input-type=module',
      '--eval',
      `const { startRedis } = await import(${JSON.stringify(script)});
       console.log((await startRedis()).url);
       setInterval(() => {}, 1000);`,
    ]);
    const [line] = await once(owner.stdout, 'data');
    const url = String(line).trim();
    expect(await isListening(url)).toBe(true);
    owner.kill('SIGKILL');
    await once(owner, 'close');
    const until = performance.now() + 3_000;
    while ((await isListening(url)) && performance.now() < until) await delay(20);
    expect(await isListening(url)).toBe(false);
  });

  it('finds a program on this machine, and says what to install if there is none', async () => {
    expect(await ensureProgram('sh', 'dash')).toMatch(/\/sh$/);
    // Upper case: no package can have such a name, so apt-get has nothing to fetch.
    const missing = ensureProgram('no-such-program', 'NO-SUCH-PACKAGE');
    await expect(missing).rejects.toThrow(/need no-such-program[^]*apt-get install NO-SUCH-PACKAGE/);
  }, 120_000);
});
