import { aBootstrapApp } from '../factories/app.factory.js';
import { until } from '../support/gateway-client.js';
import { RawConnection } from '../support/raw-connection.js';
import { ServiceProcess } from '../support/service-process.js';
import { createDatabase, type TestDatabase } from '../support/test-database.js';
import { tokenOf } from '../support/tokens.js';

const app = aBootstrapApp();
const path = `/${app.org}/${app.name}`;
const token = tokenOf(app);
/** A connection that was silent for this long sends nothing more. */
const quietMs = 2_000;

const open = `host: x\r\nauthorization: Bearer ${token}\r\n`;
/** What a server in front did not see: a request that would ban if it were served. */
const smuggled = `POST ${path}/users/victim/deactivate HTTP/1.1\r\n${open}content-length: 0\r\n\r\n`;
const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`;
/** A POST with these header lines, whose body ends where the smuggled request begins, or includes it. */
const post = (lines: string, body: string) =>
  `POST ${path}/users/batch/status HTTP/1.1\r\n${open}${lines}\r\n\r\n${body}`;
const get = (target: string, lines = '', version = 'HTTP/1.1') => `GET ${target} ${version}\r\n${open}${lines}\r\n`;
const users = `${path}/users`;
const status = '{"usernames":["victim"]}';

/** Refused: one answer of 400, the connection is closed, and nothing follows. */
const refused: [string, string][] = [
  ['CL.TE', post(`content-length: ${5 + smuggled.length}\r\ntransfer-encoding: chunked`, `0\r\n\r\n${smuggled}`)],
  ['TE.CL', post('transfer-encoding: chunked\r\ncontent-length: 4', `${chunk(smuggled)}0\r\n\r\n`)],
  ['TE.TE, chunked twice', post('transfer-encoding: chunked\r\ntransfer-encoding: x', `0\r\n\r\n${smuggled}`)],
  ['TE.TE, identity after chunked', post('transfer-encoding: chunked, identity', `0\r\n\r\n${smuggled}`)],
  ['transfer-encoding xchunked', post('transfer-encoding: xchunked', `0\r\n\r\n${smuggled}`)],
  ['transfer-encoding gzip', post('transfer-encoding: gzip', `0\r\n\r\n${smuggled}`)],
  ['transfer-encoding empty beside a length', post('transfer-encoding:\r\ncontent-length: 2', `{}${smuggled}`)],
  ['transfer-encoding with a space before the colon', post('transfer-encoding : chunked', `0\r\n\r\n${smuggled}`)],
  ['transfer-encoding with a tab before the colon', post('transfer-encoding\t: chunked', `0\r\n\r\n${smuggled}`)],
  ['transfer-encoding after a vertical tab', post('transfer-encoding:\vchunked', `0\r\n\r\n${smuggled}`)],
  ['transfer-encoding after a form feed', post('transfer-encoding: \fchunked', `0\r\n\r\n${smuggled}`)],
  ['transfer-encoding folded', post('transfer-encoding:\r\n chunked', `0\r\n\r\n${smuggled}`)],
  ['transfer-encoding in quotes', post('transfer-encoding: "chunked"', `0\r\n\r\n${smuggled}`)],
  ['two lengths that differ', post('content-length: 2\r\ncontent-length: 300', `{}${smuggled}`)],
  ['two lengths that are the same', post('content-length: 2\r\ncontent-length: 2', `{}${smuggled}`)],
  ['a list of lengths', post('content-length: 2, 2', `{}${smuggled}`)],
  ['a length of +2', post('content-length: +2', `{}${smuggled}`)],
  ['a length of -1', post('content-length: -1', `{}${smuggled}`)],
  ['a length of 0x2', post('content-length: 0x2', `{}${smuggled}`)],
  ['a length of 2.0', post('content-length: 2.0', `{}${smuggled}`)],
  ['a length of 1e1', post('content-length: 1e1', `{}${smuggled}`)],
  ['a length with a space inside', post('content-length: 2 2', `{}${smuggled}`)],
  ['a length beyond 64 bits', post(`content-length: ${'9'.repeat(30)}`, `{}${smuggled}`)],
  ['an empty length', post('content-length:', smuggled)],
  ['a chunk size with a sign', post('transfer-encoding: chunked', `+0\r\n\r\n${smuggled}`)],
  ['a chunk size of 0x0', post('transfer-encoding: chunked', `0x0\r\n\r\n${smuggled}`)],
  ['a chunk size beyond 64 bits', post('transfer-encoding: chunked', `${'f'.repeat(20)}\r\n${smuggled}`)],
  ['a chunk longer than its declared size', post('transfer-encoding: chunked', `2\r\n{}XX\r\n0\r\n\r\n${smuggled}`)],
  ['a chunk extension with a bare LF', post('transfer-encoding: chunked', `0;a\n\r\n${smuggled}`)],
  ['a chunk size that ends in a bare LF', post('transfer-encoding: chunked', `2\n{}\n0\n\n${smuggled}`)],
  ['an obs-fold', get(users, 'x: a\r\n b\r\n')],
  ['an obs-fold at once', `GET ${users} HTTP/1.1\r\n ${open}\r\n`],
  ['a bare LF after the request line', `GET ${users} HTTP/1.1\n${open}\r\n`],
  ['only bare LFs', `GET ${users} HTTP/1.1\nhost: x\n\n`],
  ['a bare CR inside a header', get(users, 'x: a\rb\r\n')],
  ['a NUL in a header', get(users, 'x: a\0b\r\n')],
  ['a NUL in the path', get(`${users}/a\0b`)],
  ['a header without a name', get(users, ': a\r\n')],
  ['a header without a colon', get(users, 'nothing\r\n')],
  ['a space in a header name', get(users, 'x y: a\r\n')],
  ['a non-ASCII byte in a header name', get(users, 'x\xe9: a\r\n')],
  ['no host', `GET ${users} HTTP/1.1\r\n\r\n`],
  ['a space in the path', get(`${users} x`)],
  ['HTTP/0.9', `GET ${users}\r\n\r\n`],
  ['HTTP/0.9 with headers', `GET ${users}\r\n${open}\r\n`],
  ['HTTP/1.2', get(users, '', 'HTTP/1.2')],
  ['HTTP/2.0', get(users, '', 'HTTP/2.0')],
  ['HTTP/9', get(users, '', 'HTTP/9')],
  ['http/1.1', get(users, '', 'http/1.1')],
  ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0'],
  ['a TLS hello', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
  ['an unknown method', `FOO ${users} HTTP/1.1\r\n${open}\r\n`],
  ['a method in lower case', `get ${users} HTTP/1.1\r\n${open}\r\n`],
  ['an overlong method', `${'A'.repeat(300)} ${users} HTTP/1.1\r\n${open}\r\n`],
  ['CONNECT to a host', `CONNECT example.com:443 HTTP/1.1\r\nhost: example.com:443\r\n\r\n`],
  ['two hosts', get(users, 'Host: y\r\n')],
  ['a target with only a query', get('?x=1')],
];

/** Refused as well, for their size: the status, and the text of the vendor's dialect. */
const tooLarge: [string, string, number, string][] = [
  ['a header of 9 KiB', get(users, `x: ${'y'.repeat(9_216)}\r\n`), 431, 'headers'],
  ['a header of 60 KiB', get(users, `x: ${'y'.repeat(61_440)}\r\n`), 431, 'headers'],
  ['headers of 9 KiB together', get(users, `x: ${'y'.repeat(60)}\r\n`.repeat(150)), 431, 'headers'],
  ['201 headers', get(users, 'x: y\r\n'.repeat(201)), 431, 'headers'],
  ['3,000 headers', get(users, 'x: y\r\n'.repeat(3_000)), 431, 'headers'],
  ['a path of 20 KiB', get(`/${'y'.repeat(20_480)}`), 414, 'path'],
  ['a query of 20 KiB', get(`${users}?limit=${'1'.repeat(20_480)}`), 414, 'path'],
];

/** Answered correctly: one answer with this status, and whatever follows on the connection is answered in turn. */
const answered: [string, string, ...number[]][] = [
  ['a chunked body', post('transfer-encoding: chunked', `${chunk(status)}0\r\n\r\n`), 200],
  [
    'a chunked body in many chunks, with extensions and a trailer',
    post('transfer-encoding: chunked', `${[...status].map((one) => `1;x=y\r\n${one}\r\n`).join('')}0\r\nx: y\r\n\r\n`),
    200,
  ],
  ['Transfer-Encoding in another case', post('Transfer-ENCODING: Chunked', `${chunk(status)}0\r\n\r\n`), 200],
  ['an absolute-form target', get(`http://x${users}`), 200],
  ['an absolute-form target of another host', get(`http://console.example/console/x`), 404],
  ['two spaces before the version', `GET ${users}  HTTP/1.1\r\n${open}\r\n`, 200],
  ['HTTP/1.0', `GET ${users} HTTP/1.0\r\nconnection: keep-alive\r\n${open}\r\n`, 200],
  ['an OPTIONS without the headers of a preflight', `OPTIONS ${users} HTTP/1.1\r\n${open}\r\n`, 204],
  ['an unknown expectation', get(users, 'expect: cake\r\n'), 200],
  ['an asterisk', `OPTIONS * HTTP/1.1\r\n${open}\r\n`, 204],
  ['TRACE', `TRACE ${users} HTTP/1.1\r\n${open}\r\n`, 405],
  ['PROPFIND', `PROPFIND ${users} HTTP/1.1\r\n${open}\r\n`, 405],
  ['PATCH', `PATCH ${users} HTTP/1.1\r\n${open}content-length: 0\r\n\r\n`, 405],
  ['M-SEARCH', `M-SEARCH ${users} HTTP/1.1\r\n${open}\r\n`, 405],
  ['an upgrade on a REST route', get(users, 'connection: upgrade\r\nupgrade: foo\r\n'), 200],
  [
    'an upgrade to h2c',
    get(users, 'connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__\r\n'),
    200,
  ],
  ['a path of 9 KiB', get(`/${'y'.repeat(9_216)}`), 414],
  ['a query of 9 KiB', get(`${users}?limit=${'1'.repeat(9_216)}`), 414],
  ['a query of 8 KB', get(`${users}?x=${'1'.repeat(8_000)}`), 200],
  [
    'a body with Content-Encoding: identity',
    post(`content-length: ${status.length}\r\ncontent-encoding: identity`, status),
    200,
  ],
  ['a GET with a body', `${get(users, 'content-length: 2\r\n')}{}`, 200],
  [
    'a method override',
    `POST ${path}/users/batch/status HTTP/1.1\r\n${open}x-http-method-override: DELETE\r\ncontent-length: ${status.length}\r\n\r\n${status}`,
    200,
  ],
  [
    'a rewritten URL',
    get(users, `x-original-url: ${path}/users/victim/deactivate\r\nx-rewrite-url: /metrics\r\n`),
    200,
  ],
  ['Expect: 100-continue', post(`content-length: ${status.length}\r\nexpect: 100-continue`, status), 100, 200],
  ['a leading empty line', `\r\n${get(users)}`, 200],
];

describe('node dist/main.js', () => {
  let database: TestDatabase;
  let service: ServiceProcess;

  beforeAll(async () => {
    database = await createDatabase('sqlite');
    service = await ServiceProcess.start({
      ...{ DATABASE_URL: database.url, BOOTSTRAP_APPS: app.text, PASSWORD_COST: 'm=8,t=1,p=1', LOG_LEVEL: 'debug' },
    });
    const registered = await fetch(`${service.url}${users}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: JSON.stringify({ username: 'victim', password: 'secret' }),
    });
    expect(registered.status).toBe(200);
  }, 60_000);
  afterEach(async () => {
    expect((await fetch(`${service.url}/health/ready`)).status).toBe(200);
  });
  afterAll(async () => {
    ServiceProcess.killAll();
    await database.drop();
  });

  const send = async (bytes: string) => {
    const connection = await RawConnection.open(service.url);
    connection.send(bytes);
    const answers = await connection.answersUntilQuiet(quietMs);
    const { closed, rest } = connection;
    connection.end();
    return { statuses: answers.map((answer) => answer.status), closed, rest, last: answers.at(-1) };
  };

  it.each(refused)('refuses %s, once, and closes', async (_what, bytes) => {
    const { statuses, closed, rest, last } = await send(bytes);
    expect({ statuses, closed, rest }).toEqual({ statuses: [400], closed: true, rest: '' });
    expect(JSON.parse(last?.text ?? '')).toMatchObject({
      error: 'web_application',
      duration: expect.any(Number) as number,
    });
  });

  it.each(tooLarge)('refuses %s, once, and closes', async (_what, bytes, expected, part) => {
    const { statuses, closed, rest, last } = await send(bytes);
    expect({ statuses, closed, rest }).toEqual({ statuses: [expected], closed: true, rest: '' });
    expect(JSON.parse(last?.text ?? '')).toMatchObject({
      error: expect.stringMatching(/^request_/) as string,
      error_description: expect.stringContaining(part) as string,
    });
  });

  it('answers with its own address when called without a Host, as HTTP/1.0 allows', async () => {
    for (const lines of ['', 'host:\r\n']) {
      const { last } = await send(`GET ${users}/victim HTTP/1.0\r\nauthorization: Bearer ${token}\r\n${lines}\r\n`);
      expect(JSON.parse(last?.text ?? '')).toMatchObject({ uri: `${service.url}${users}/victim` });
    }
  });

  it.each(answered)('answers %s, and then the next request', async (_what, bytes, ...expected) => {
    const { statuses, rest, last } = await send(`${bytes}${get('/health/live', 'connection: close\r\n')}`);
    expect({ statuses, rest }).toEqual({ statuses: [...expected, 200], rest: '' });
    expect(last?.text).toBe('{"status":"ok"}');
  });

  it('answers 1,000 pipelined requests in order', async () => {
    const connection = await RawConnection.open(service.url);
    const orgs = Array.from({ length: 1_000 }, (_none, index) => `org-${index}`);
    connection.send(orgs.map((org) => get(`/${org}/app/users`)).join(''));
    for (const org of orgs) {
      const answer = await connection.answer();
      expect(answer?.status).toBe(404);
      expect(answer?.text).toContain(`Could not find application for ${org}/app from`);
    }
    connection.end();
  });

  describe('a request in progress', () => {
    /** It waits in the write queue, so whatever follows it is read before it is answered. */
    const registering = (username: string, lines = 'connection: keep-alive\r\n', version = 'HTTP/1.1') => {
      const body = JSON.stringify({ username, password: 'secret' });
      return `POST ${users} ${version}\r\n${open}${lines}content-length: ${body.length}\r\n\r\n${body}`;
    };
    const deleting = (username: string, lines: string) => `DELETE ${users}/${username} HTTP/1.1\r\n${open}${lines}\r\n`;
    const existsStill = async (username: string) => (await send(get(`${users}/${username}`))).statuses[0] === 200;

    it('is answered even if undeclared bytes follow, which are ignored', async () => {
      await send(registering('e1'));
      const { statuses, closed, rest } = await send(`${deleting('e1', 'connection: close\r\n')}{}`);
      expect({ statuses, closed, rest }).toEqual({ statuses: [200], closed: true, rest: '' });
      expect(await existsStill('e1')).toBe(false);
    });

    it('is answered even if another request follows it on a connection it closes', async () => {
      const { statuses, closed } = await send(
        `${registering('e2', 'connection: close\r\n')}${deleting('e2', 'connection: close\r\n')}`,
      );
      expect({ statuses, closed }).toEqual({ statuses: [200], closed: true });
      expect(await existsStill('e2')).toBe(true);
    });

    it('is answered over HTTP/1.0, which then closes the connection', async () => {
      const { statuses, closed } = await send(`${registering('e3', '', 'HTTP/1.0')}{}`);
      expect({ statuses, closed }).toEqual({ statuses: [200], closed: true });
    });

    it('is answered before whatever follows on a persistent connection is refused', async () => {
      const { statuses, closed, rest } = await send(`${registering('e4')}${registering('e5')}{}{}`);
      expect({ statuses, closed, rest }).toEqual({ statuses: [200, 200, 400], closed: true, rest: '' });
    });

    it('is answered before a broken body after it is refused', async () => {
      const broken = post('transfer-encoding: chunked', 'x\r\n');
      const { statuses, closed, rest } = await send(`${registering('e6')}${broken}`);
      expect({ statuses, closed, rest }).toEqual({ statuses: [200, 400], closed: true, rest: '' });
    });

    it.each([
      ['and sends nothing more', '', [200, 200]],
      ['in the middle of the next request', `POST ${users} HTTP/1.1\r\nhos`, [200, 200, 400]],
    ])('is answered even if the client half-closes its side %s', async (what, begun, expected) => {
      const name = `e7-${what.length}`;
      const connection = await RawConnection.open(service.url);
      connection.send(`${registering(name)}${registering(`${name}-2`)}${begun}`);
      connection.finish();
      const answers = await connection.answersUntilQuiet(quietMs);
      expect({ statuses: answers.map(({ status: one }) => one), closed: connection.closed }).toEqual({
        ...{ statuses: expected, closed: true },
      });
      connection.end();
    });

    it.each([
      ['a WebSocket', get(`${path}/nowhere`, 'connection: upgrade\r\nupgrade: websocket\r\n'), 404],
      ['h2c', get(users, 'connection: upgrade\r\nupgrade: h2c\r\n'), 200],
      ['a tunnel', 'CONNECT example.com:443 HTTP/1.1\r\nhost: example.com:443\r\n\r\n', 400],
    ])('is answered before a later one that requests %s', async (what, bytes, expected) => {
      const { statuses, rest } = await send(`${registering(`e8-${what.length}`)}${bytes}`);
      expect({ statuses, rest }).toEqual({ statuses: [200, expected], rest: '' });
    });
  });

  it('recognizes the dialect of an absolute-form target too', async () => {
    const { last } = await send(get('http://x/api/v2.1/rest/nothing', 'connection: close\r\n'));
    expect(JSON.parse(last?.text ?? '')).toEqual({ error: { message: 'not found' }, status: 404 });
    const listed = await send(get(`http://y${users}/victim?x`, 'connection: close\r\n'));
    expect(JSON.parse(listed.last?.text ?? '')).toMatchObject({ path: '/users', uri: `http://x${users}/victim` });
  });

  it('reports a client that disconnects in the middle of a body as such, and not as an internal error', async () => {
    const connection = await RawConnection.open(service.url);
    connection.send(post('content-length: 1000', '{"usernames":'));
    connection.end();
    await until(() => /a client disconnected in the middle of a request|internal error/.test(service.output), 10_000);
    expect(service.output).toMatch(/"level":"debug".*a client disconnected in the middle of a request/);
    expect(service.output).not.toContain('internal error');
  });

  it('served none of the smuggled requests', async () => {
    const response = await fetch(`${service.url}${users}/victim`, { headers: { authorization: `Bearer ${token}` } });
    const { entities } = (await response.json()) as { entities: object[] };
    expect(entities[0]).toMatchObject({ username: 'victim', activated: true });
    expect(refused.length + answered.length).toBeGreaterThanOrEqual(60);
  });
});
