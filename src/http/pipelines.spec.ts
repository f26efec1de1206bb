import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { Pipelines } from './pipelines.js';

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe('Pipelines', () => {
  let server: Server;
  let client: Socket;
  let text: string;
  let underWay: number;
  let maxUnderWay: number;
  const broken: unknown[] = [];

  beforeEach(async () => {
    [text, underWay, maxUnderWay] = ['', 0, 0];
    broken.length = 0;
    const pipelines = new Pipelines();
    const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
      underWay += 1;
      maxUnderWay = Math.max(maxUnderWay, underWay);
      let body = '';
      for await (const part of request) body += String(part);
      await pause(2);
      underWay -= 1;
      response.end(`[${request.url} ${body}]`);
    };
    server = createServer({ requestTimeout: 300, headersTimeout: 300, connectionsCheckingInterval: 50 });
    server.on('request', (request: IncomingMessage, response: ServerResponse) => void answer(request, response));
    server.on('clientError', (error, socket: Socket) => pipelines.hold(error, socket) || broken.push(error));
    pipelines.guard(server);
    await once(server.listen(0, '127.0.0.1'), 'listening');
    client = connect((server.address() as AddressInfo).port, '127.0.0.1').setNoDelay(true);
    client.on('data', (part) => (text += part.toString()));
    await once(client, 'connect');
  });
  afterEach(async () => {
    client.destroy();
    await once(server.close(), 'close');
  });

  const request = (index: number): string =>
    index % 3 === 0
      ? `POST /${index} HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n\r\nbody`
      : `GET /${index} HTTP/1.1\r\nhost: x\r\n\r\n`;
  const answers = (): string[] => text.match(/\[[^\]]*\]/g) ?? [];
  const expected = (count: number): string[] =>
    Array.from({ length: count }, (_none, index) => `[/${index} ${index % 3 === 0 ? 'body' : ''}]`);

  it.each([
    ['in one packet', 100_000],
    ['in packets that end anywhere', 37],
  ])('works on two of a connection at most, and answers all in their order: %s', async (_what, bytes) => {
    const all = Array.from({ length: 100 }, (_none, index) => request(index)).join('');
    for (let sent = 0; sent < all.length; sent += bytes) {
      client.write(all.slice(sent, sent + bytes));
      await pause(1);
    }
    while (answers().length < 100 && !client.destroyed) await pause(10);
    expect(answers()).toEqual(expected(100));
    expect(maxUnderWay).toBe(2);
    expect(broken).toEqual([]);
  });

  it('treats the last request as complete: the connection may idle and send another', async () => {
    client.write(request(0) + request(1));
    await pause(600);
    expect(answers()).toEqual(expected(2));
    client.write(request(2));
    while (answers().length < 3 && !client.destroyed) await pause(10);
    expect(answers()).toEqual(expected(3));
    expect(broken).toEqual([]);
  });
});
