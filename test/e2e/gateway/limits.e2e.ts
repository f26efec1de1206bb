import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { AppsService } from '../../../src/apps/apps.service.js';
import type { GatewaySocket } from '../../../src/gateway/gateway-socket.js';
import { GatewayService } from '../../../src/gateway/gateway.service.js';
import { PresenceService } from '../../../src/presence/presence.service.js';
import { type SessionEvent, SessionEvents } from '../../../src/presence/session-events.js';
import { retryTimingTests } from '../../support/form.js';
import { GatewayClient, refusal, until } from '../../support/gateway-client.js';
import { type RunningApp, startApp } from '../../support/start-app.js';
import { accessToken2 } from '../../support/tokens.js';

retryTimingTests();

describe('gateway limits', () => {
  let running: RunningApp;
  let events: SessionEvent[];
  beforeAll(async () => {
    running = await startApp({ env: { GATEWAY_PING_MS: '300', GATEWAY_MAX_PENDING_PER_ADDRESS: '5' } });
    events = [];
    running.nest.get(SessionEvents).subscribe((event) => events.push(event));
    await running.register('ann');
  });
  afterAll(() => running.stop());

  const login = (more?: object): Promise<GatewayClient> =>
    GatewayClient.login(running.url, running.path, accessToken2(running.app, 'ann'), more);
  const sessions = (): number => running.nest.get(PresenceService).size;

  it('a frame of 64 KiB is accepted; one more byte closes with 1009', async () => {
    const client = await login();
    client.socket.send(JSON.stringify({ type: 'x', pad: 'x'.repeat(65_536 - 21) }));
    expect(await client.next()).toMatchObject({ type: 'error', code: 'frame_unknown' });
    client.socket.send('x'.repeat(65_537));
    expect((await client.closed).code).toBe(1009);
  });

  it.each([['not json'], ['[]'], ['null'], ['7'], ['{}'], ['{"type":7}'], ['"ping"'], ['['.repeat(60_000)]])(
    '%.20s causes an error frame and nothing else',
    async (text) => {
      const client = await login();
      client.socket.send(text);
      expect(await client.next()).toMatchObject({ type: 'error', code: 'frame_malformed' });
      expect(client.open).toBe(true);
      await client.close();
    },
  );

  it('bytes instead of text close with 1003', async () => {
    const client = await login();
    client.socket.send(Buffer.from('{"type":"ping"}'));
    expect((await client.closed).code).toBe(1003);
  });

  it('more than 64 tiny fragments are cut off, and so is text that is not UTF-8', async () => {
    const fragmented = await login();
    for (let index = 0; index < 200; index++) fragmented.socket.send('x', { fin: false });
    expect((await fragmented.closed).code).toBe(1008);
    const broken = await login();
    broken.socket.send(Buffer.from([0xff, 0xfe]), { binary: false });
    expect((await broken.closed).code).toBe(1007);
  });

  it('a flood of frames or pings is cut off', async () => {
    const frames = await login({ device: 'frames' });
    for (let index = 0; index < 1_000; index++) frames.send({ type: 'ping' });
    const pings = await login({ device: 'pings' });
    for (let index = 0; index < 1_000; index++) pings.socket.ping();
    for (const client of [frames, pings]) {
      // The close frame may be lost in the flood.
      expect([1006, 1008]).toContain((await client.closed).code);
      expect(client.frames.length).toBeLessThanOrEqual(202);
    }
  });

  it('a client that is silent is cut off, one that answers pings stays', async () => {
    const silent = await login({ device: 'silent' });
    const lively = await login({ device: 'lively' });
    // A socket that stops reading answers neither pings nor the close.
    silent.socket.pause();
    await until(() => events.some((event) => event.type === 'closed' && event.reason === 'silent'), 13_500, 100);
    expect(lively.open).toBe(true);
    silent.socket.terminate();
    await lively.close();
  });

  it('a client that does not read is cut off at 1 MiB', async () => {
    const client = await login({ device: 'slow' });
    const { sockets } = running.nest.get<{ sockets: Set<GatewaySocket> }>(GatewayService);
    client.socket.pause();
    const before = events.length;
    const memoryBefore = process.memoryUsage().rss;
    for (let sent = 0; events.length === before && sent < 1_000; sent++) {
      for (const socket of sockets) socket.send({ type: 'error', code: 'x', message: 'x'.repeat(60_000) });
      await sleep(1);
    }
    expect(events.slice(before)).toMatchObject([{ type: 'closed', reason: 'slow' }]);
    expect(process.memoryUsage().rss - memoryBefore).toBeLessThan(50 * 1024 * 1024);
    client.socket.terminate();
  });

  it('each session that opened closes once', async () => {
    await until(() => sessions() === 0, 1_000);
    const opened = events.filter((event) => event.type === 'opened').map((event) => event.session.sessionId);
    const closed = events.filter((event) => event.type === 'closed').map((event) => event.session.sessionId);
    expect(closed.sort()).toEqual(opened.sort());
  });

  it('an address has a limited number of sockets without a login', async () => {
    const url = `${running.url}${running.path}/ws`;
    const pending = await Promise.all(
      Array.from({ length: 5 }, () => GatewayClient.connect(running.url, running.path)),
    );
    expect(await refusal(url)).toMatchObject({ status: 429, body: { code: 'too_many_pending' } });
    await pending[0]?.close();
    const one = await GatewayClient.connect(running.url, running.path);
    expect(await refusal(url)).toMatchObject({ status: 429 });
    one.send({ type: 'login', token: accessToken2(running.app, 'ann') });
    await one.next();
    const another = await GatewayClient.connect(running.url, running.path);
    await Promise.all([...pending.slice(1), one, another].map((client) => client.close()));
  });

  it('a request that asks for another protocol is served as if it had not', async () => {
    const { port } = new URL(running.url);
    const body = JSON.stringify({ usernames: ['ann'] });
    const socket = connect(Number(port), '127.0.0.1');
    await once(socket, 'connect');
    const head = [
      `POST ${running.path}/users/batch/status HTTP/1.1`,
      'Host: localhost',
      'Connection: Upgrade, HTTP2-Settings',
      'Upgrade: h2c',
      'HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA',
      `Authorization: Bearer ${running.token}`,
      `Content-Length: ${body.length}`,
    ];
    let text = '';
    socket.on('data', (bytes) => (text += bytes.toString()));
    for (const attempt of [1, 2]) {
      // In two pieces, and twice on one connection.
      socket.write(`${head.join('\r\n')}\r\n\r\n${body.slice(0, 5)}`);
      await sleep(30);
      socket.write(body.slice(5));
      await until(() => text.split('get batch user status').length > attempt, 2_000);
    }
    expect(text).toMatch(/^HTTP\/1\.1 200 OK/);
    socket.destroy();
  });

  it('an expired token ends its session', async () => {
    const client = await GatewayClient.login(running.url, running.path, accessToken2(running.app, 'ann', 2));
    expect((await client.closed).code).toBe(4006);
    expect(client.frames.at(-1)).toEqual({ type: 'kicked', reason: 'token_expired' });
  });

  it('disabling an app closes its sessions', async () => {
    const client = await login();
    await running.nest.get(AppsService).set(running.app, 'disabled', 'true');
    expect((await client.closed).code).toBe(4002);
    await running.nest.get(AppsService).set(running.app, 'disabled', 'false');
  });

  it('a node that shuts down tells its clients when to reconnect', async () => {
    const client = await login();
    const waiting = await GatewayClient.connect(running.url, running.path);
    const startedAt = performance.now();
    await running.stop();
    for (const one of [client, waiting]) {
      expect((await one.closed).code).toBe(1012);
      const last = one.frames.at(-1);
      expect(last).toMatchObject({ type: 'kicked', reason: 'shutdown' });
      expect(last?.['retry_after_ms']).toBeGreaterThanOrEqual(500);
    }
    expect(performance.now() - startedAt).toBeLessThan(2_000);
    expect(sessions()).toBe(0);
    running = await startApp();
  });
});
