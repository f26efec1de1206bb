import { gzipSync } from 'node:zlib';
import { join } from 'node:path';
import { aBootstrapApp } from '../factories/app.factory.js';
import { RawConnection } from '../support/raw-connection.js';
import { ServiceProcess } from '../support/service-process.js';
import { createDatabase, type TestDatabase } from '../support/test-database.js';
import { tokenOf } from '../support/tokens.js';

const app = aBootstrapApp();
const token = tokenOf(app);
const maxAnswerMs = 100;
const maxStallMs = 100;
const tries = 5;

const nested = (depth: number, open = '[', close = ']') => open.repeat(depth) + close.repeat(depth);
const wide = (members: number) => `{${Array.from({ length: members }, (_none, index) => `"m${index}":1`).join()}}`;
const user = '"username":"a","user_id":"a","password":"b"';
const utf16 = (text: string) => Buffer.from(`\ufeff${text}`, 'utf16le');

/** What every route refuses: with 413 if it exceeds 64 KiB, otherwise with 400. */
const bodies: [string, string | Uint8Array, Record<string, string>?][] = [
  ['a member twice', `{${user},"username":"c","user_id":"c"}`],
  ['a member twice, once escaped', `{${user},"user\\u006eame":"c","user_\\u0069d":"c"}`],
  ['a member twice, deep', `{${user},"extras":{"a":[{"b":1,"b":2}]}}`],
  ['a member twice with the same value', `{${user},${user}}`],
  ['__proto__', `{${user},"__proto__":{"isAdmin":true}}`],
  ['__proto__ alone', '{"__proto__":{"username":"a","user_id":"a","password":"b"}}'],
  ['__proto__ escaped', `{${user},"\\u005f_proto__":null}`],
  ['__proto__ below constructor.prototype', `{${user},"constructor":{"prototype":{"__proto__":{}}}}`],
  ['constructor.prototype for the required members', '{"constructor":{"prototype":{"username":"a","user_id":"a"}}}'],
  ...[33, 2_000, 30_000].map((depth): [string, string] => [`${depth} levels of lists`, nested(depth)]),
  ...[33, 2_000, 10_000].map((depth): [string, string] => [
    `${depth} levels of objects`,
    nested(depth, '{"a":', '}').replace(/:}/, ':1}'),
  ]),
  ['100,000 levels', nested(100_000)],
  ['100,000 levels that never close', '['.repeat(100_000)],
  ['30,000 levels that never close', '['.repeat(30_000)],
  ...[1_025, 5_000, 80_000].map((members): [string, string] => [`${members} members`, wide(members)]),
  ['513 members, all unknown', wide(513)],
  ['1,025 colons in objects of one member', `[${'{"a":1},'.repeat(1_024)}{"a":1}]`],
  ['a number out of range', `{${user},"n":1e400}`],
  ['a number of 30,000 digits', `{${user},"n":${'9'.repeat(30_000)}}`],
  ['a negative number out of range', `{${user},"n":[-1e999]}`],
  ['a number in place of a name', '{"username":1e308,"user_id":[1e308],"password":"b"}'],
  ['a number with a leading zero', `{${user},"n":01}`],
  ['a hexadecimal number', `{${user},"n":0x1}`],
  ['NaN', `{${user},"n":NaN}`],
  ['Infinity', `{${user},"n":-Infinity}`],
  ['a trailing comma', `{${user},}`],
  ['a trailing comma in a list', `{${user},"l":[1,]}`],
  ['two commas', `{${user},,"n":1}`],
  ['a comment', `{${user}/* */}`],
  ['single quotes', "{'username':'a','user_id':'a','password':'b'}"],
  ['names without quotes', '{username:"a",user_id:"a",password:"b"}'],
  ['a byte order mark', `\ufeff{${user}}`],
  ['UTF-16', utf16(`{${user}}`)],
  ['UTF-16 without its mark', Buffer.from(`{${user}}`, 'utf16le')],
  ['UTF-16, as its type says', utf16(`{${user}}`), { 'content-type': 'application/json; charset=utf-16' }],
  ['UTF-32', Buffer.from([0, 0, 0, 0x7b, 0, 0, 0, 0x7d])],
  [
    'Latin-1',
    Buffer.from(`{"username":"\xe9","user_id":"\xe9","password":"b"}`, 'latin1'),
    { 'content-type': 'application/json; charset=latin1' },
  ],
  ['a byte that is never valid in UTF-8', Buffer.from(`{"username":"\xff","user_id":"\xff","password":"b"}`, 'latin1')],
  [
    'half a surrogate in UTF-8',
    Buffer.from('{"username":"\xed\xa0\x80","user_id":"\xed\xa0\x80","password":"b"}', 'latin1'),
  ],
  ['half a surrogate, escaped', '{"username":"a\\ud800","user_id":"a\\ud800","password":"b"}'],
  ['the other half', '{"username":"\\udc00","user_id":"\\udc00","password":"b"}'],
  ['both halves in the wrong order', '{"username":"\\udc00\\ud800","user_id":"\\udc00\\ud800","password":"b"}'],
  ['NUL in a name', '{"username":"a\\u0000","user_id":"a\\u0000","password":"b"}'],
  ['an unescaped control character', '{"username":"a\u0001","user_id":"a\u0001","password":"b"}'],
  ['an unknown escape', '{"username":"\\a","user_id":"\\a","password":"b"}'],
  ['a truncated escape', '{"username":"\\u00"}'],
  ['a body truncated in a string', `{${user.slice(0, -1)}`],
  ['a body truncated before its end', `{${user}`],
  ['two documents', `{${user}}{${user}}`],
  ['two documents on two lines', `{${user}}\n{${user}}`],
  ['something after the document', `{${user}}x`],
  ['NUL after the document', `{${user}}\0`],
  ['a string', `"{}"`],
  ['a number', '1'],
  ['null', 'null'],
  ['a list in a list', `[[{${user}}]]`],
  ['gzip', gzipSync(`{${user}}`), { 'content-encoding': 'gzip', 'content-type': 'application/json' }],
  [
    'a gzip bomb',
    gzipSync(Buffer.alloc(50_000_000)),
    { 'content-encoding': 'gzip', 'content-type': 'application/json' },
  ],
  ['over 64 KiB of spaces', ' '.repeat(65_537)],
];

const agora = { authorization: `Bearer ${token}` };
const qiscus = {
  'qiscus-sdk-app-id': app.appId,
  'qiscus-sdk-secret': app.certificate,
  'content-type': 'application/json',
};
const endpoints: [string, string, Readonly<Record<string, string>>][] = [
  ['a registration', `/${app.org}/${app.name}/users`, agora],
  ['a request for a token', `/${app.org}/${app.name}/token`, agora],
  ['a login of Qiscus', '/api/v2.1/rest/login_or_register', qiscus],
];

describe('a body that is not strict JSON', () => {
  let database: TestDatabase;
  let service: ServiceProcess;
  let longestMs = 0;

  beforeAll(async () => {
    database = await createDatabase('sqlite');
    service = await ServiceProcess.start(
      { DATABASE_URL: database.url, BOOTSTRAP_APPS: app.text, PASSWORD_COST: 'm=8,t=1,p=1', LOG_LEVEL: 'error' },
      [join(import.meta.dirname, '../support/event-loop-delay.mjs')],
    );
  }, 60_000);
  afterAll(async () => {
    console.log(
      `json bodies: ${bodies.length} at ${endpoints.length} doors, the slowest answer after ${longestMs.toFixed(0)} ms`,
    );
    ServiceProcess.killAll();
    await database.drop();
  });

  describe.each(endpoints)('%s', (_endpoint, path, headers) => {
    it.each(bodies)(`is refused within ${maxAnswerMs} ms: %s`, async (_what, text, more = {}) => {
      const body = Buffer.from(text as string);
      const lines = Object.entries({ host: 'x', ...headers, ...more, 'content-length': body.length });
      const head = [`POST ${path} HTTP/1.1`, ...lines.map(([name, value]) => `${name}: ${value}`)].join('\r\n');
      // The fastest of several: a busy machine may be slow once.
      const times: number[] = [];
      while (times.length < tries && (times.at(-1) ?? Infinity) >= maxAnswerMs) {
        const connection = await RawConnection.open(service.url);
        const startedAt = performance.now();
        connection.send(Buffer.concat([Buffer.from(`${head}\r\n\r\n`), body]));
        const answer = await connection.answer();
        times.push(performance.now() - startedAt);
        connection.end();
        expect(answer?.status).toBe('content-encoding' in more ? 415 : body.length > 65_536 ? 413 : 400);
        const { error } = JSON.parse(answer?.text ?? '') as { error: unknown };
        expect(typeof error).toBe(path.startsWith('/api/') ? 'object' : 'string');
      }
      longestMs = Math.max(longestMs, Math.min(...times));
      expect(Math.min(...times)).toBeLessThan(maxAnswerMs);
    });
  });

  it(`blocks the event loop for less than ${maxStallMs} ms`, async () => {
    const stallsMs: number[] = [];
    while (stallsMs.length < tries && (stallsMs.at(-1) ?? Infinity) >= maxStallMs) {
      await service.ask('SIGUSR2');
      for (const [, text] of bodies)
        await fetch(`${service.url}${endpoints[0]?.[1]}`, {
          method: 'POST',
          headers: agora,
          body: text as string,
        }).then((one) => one.text());
      stallsMs.push(Number(await service.ask('SIGUSR2')));
    }
    console.log(`json bodies: the event loop was blocked for at most ${Math.min(...stallsMs).toFixed(0)} ms`);
    expect(Math.min(...stallsMs)).toBeGreaterThan(0);
    expect(Math.min(...stallsMs)).toBeLessThan(maxStallMs);
  });
});
