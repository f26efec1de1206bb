import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { Connections } from './connections.js';

const megabyte = 1024 * 1024;

describe('Connections', () => {
  let server: Server;
  let connections: Connections;
  let now: number;
  let answer: Buffer;
  const clients: Socket[] = [];

  beforeEach(async () => {
    now = 0;
    connections = new Connections(
      10,
      () => false,
      () => now,
    );
    server = createServer((_request, response) => response.end(answer));
    connections.guard(server);
    await once(server.listen(0, '127.0.0.1'), 'listening');
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.destroy();
    server.closeAllConnections();
    await once(server.close(), 'close');
  });

  const reader = async (): Promise<Socket> => {
    const client = connect((server.address() as AddressInfo).port, '127.0.0.1').on('error', () => undefined);
    clients.push(client);
    await once(client, 'connect');
    client.pause();
    client.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
    return client;
  };
  const looks = async (count: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, count * 250 + 50));

  it('cuts a reader slower than 8 KiB/s after ten seconds, not earlier', async () => {
    answer = Buffer.alloc(20 * megabyte);
    await reader();
    await looks(2);
    // The longest that an answer of this length may take.
    now = 10_000 + (20 * megabyte) / 8.192 - 100;
    await looks(2);
    expect(connections.cut.slow_reader).toBe(0);
    now += 1_000;
    await looks(2);
    expect(connections.cut).toEqual({ too_many: 0, slow_reader: 1, memory: 0 });
  });

  it('forgets that a reader was slow once it has read everything', async () => {
    answer = Buffer.alloc(20 * megabyte);
    const client = await reader();
    await looks(2);
    now = 10_000;
    let bytes = 0;
    client.on('data', (part) => (bytes += part.length)).resume();
    while (bytes < answer.length) await looks(1);
    await looks(1);
    now = 3_600_000;
    await looks(2);
    expect(connections.cut.slow_reader).toBe(0);
  });

  it('cuts the reader that has been slow the longest when 64 MiB are pending in total', async () => {
    answer = Buffer.alloc(30 * megabyte);
    const first = await reader();
    await looks(2);
    now = 1_000;
    const second = await reader();
    await looks(2);
    expect(connections.cut.memory).toBe(0);
    now = 2_000;
    const third = await reader();
    await looks(2);
    expect(connections.cut.memory).toBe(1);
    for (const client of [first, second, third]) client.resume();
    await once(first, 'close');
    expect([second.destroyed, third.destroyed]).toEqual([false, false]);
  });
});
