import { fastify, type FastifyInstance } from 'fastify';
import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { ArrivingBodies } from './arriving-bodies.js';
import { Connections } from './connections.js';

const megabyte = 1024 * 1024;

describe('ArrivingBodies', () => {
  let server: FastifyInstance;
  let connections: Connections;
  const clients: Socket[] = [];

  beforeEach(async () => {
    server = fastify({ bodyLimit: 60 * megabyte });
    server.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
    connections = new Connections(
      10,
      () => false,
      () => 0,
    );
    new ArrivingBodies(connections).guard(server);
    server.post('/', () => 'done');
    await server.listen();
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.destroy();
    await server.close();
  });

  const sender = async (framing: string): Promise<{ socket: Socket; answers: () => string }> => {
    const socket = connect((server.server.address() as AddressInfo).port, '127.0.0.1').on('error', () => undefined);
    clients.push(socket);
    let text = '';
    socket.on('data', (part) => (text += part.toString()));
    await once(socket, 'connect');
    socket.write(`POST / HTTP/1.1\r\nhost: x\r\n${framing}\r\n\r\n`);
    await new Promise((resolve) => setTimeout(resolve, 50));
    return { socket, answers: () => text };
  };

  it.each([
    ['of a length', `content-length: ${50 * megabyte}`],
    ['in chunks', 'transfer-encoding: chunked'],
  ])('cuts the oldest where more than 128 MiB are still coming, %s', async (_what, framing) => {
    const [first, second] = [await sender(framing), await sender(framing)];
    expect(connections.cut.memory).toBe(0);
    const third = await sender(framing);
    expect(connections.cut.memory).toBe(1);
    expect([first, second, third].map(({ socket }) => socket.destroyed)).toEqual([true, false, false]);
  });

  it('does not count bodies that have arrived, were rejected or were abandoned', async () => {
    for (let round = 0; round < 3; round += 1) {
      const whole = await sender('content-length: 1048576');
      whole.socket.write(Buffer.alloc(megabyte));
      while (!whole.answers().includes('done')) await new Promise((resolve) => setTimeout(resolve, 10));
      const refused = await sender(`content-length: ${61 * megabyte}`);
      expect(refused.answers()).toContain('413');
      const givenUp = await sender(`content-length: ${60 * megabyte}`);
      givenUp.socket.destroy();
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(connections.cut.memory).toBe(0);
  });
});
