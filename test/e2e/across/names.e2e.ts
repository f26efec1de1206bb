import { rawCall } from '../../support/raw-call.js';
import { type RunningApp, startApp } from '../../support/start-app.js';

const x64 = 'x'.repeat(64);
const y255 = 'y'.repeat(255);

const illegal = '400 400 404 404 404 -';
/** Taken by the first registration, so Qiscus asks for the password of the existing user. */
const registered = '200 400 200 200 200';
/** Taken by an earlier test, whose user was banned at the end. */
const taken = '400 401 200 400 200';
const registeredByQiscus = '400 200 200 200 200';

/**
 * The fate of a name on every engine, as statuses in this order: registration through the Agora dialect, registration
 * through Qiscus, look-up, token, ban; then the name that the look-up returns.
 */
const outcomes: [string, string][] = [
  ['alice', `${registered} alice`],
  ['ALICE', `${taken} alice`],
  ['alice ', illegal],
  [' alice', illegal],
  ['alice.', `${registered} alice.`],
  ['alice\0', illegal],
  ['alice\u00e9', illegal],
  ['alice\u0301', illegal],
  ['\uff41lice', illegal],
  ['\u0430lice', illegal],
  ['al\u200bice', illegal],
  ['al\u00adice', illegal],
  ['alice\u202e', illegal],
  ['\ufeffalice', illegal],
  ['alice\ud800', '400 400 400 404 400 -'],
  ['\u212aate', illegal],
  ['kate', `${registered} kate`],
  ['KATE', `${taken} kate`],
  ['\u0130stanbul', illegal],
  ['i\u0307stanbul', illegal],
  ['\u0131stanbul', illegal],
  ['ISTANBUL', `${registered} istanbul`],
  ['istanbul', `${taken} istanbul`],
  ['stra\u00dfe', illegal],
  ['strasse', `${registered} strasse`],
  ['\u017fam', illegal],
  ['sam', `${registered} sam`],
  ['caf\u00e9', illegal],
  ['cafe\u0301', illegal],
  ['cafe', `${registered} cafe`],
  ['\u{1f600}', illegal],
  ['\u{1f601}', illegal],
  ['batch', `${registered} batch`],
  ['Batch', `${taken} batch`],
  ['%2F', illegal],
  ['a%2Fb', illegal],
  ['a/b', illegal],
  ['%00', illegal],
  ['%ff', illegal],
  ['%', illegal],
  ['.', illegal],
  ['..', illegal],
  ['...', `${registered} ...`],
  ['-', `${registered} -`],
  ['_', `${registered} _`],
  ['-1', `${registered} -1`],
  ['0', `${registered} 0`],
  ['1e3', `${registered} 1e3`],
  ['me', `${registered} me`],
  ['admin', `${registered} admin`],
  ['null', `${registered} null`],
  ['undefined', `${registered} undefined`],
  ['true', `${registered} true`],
  ['__proto__', `${registered} __proto__`],
  ['constructor', `${registered} constructor`],
  ['toString', `${registered} tostring`],
  ['users', `${registered} users`],
  ['status', `${registered} status`],
  ['offline_msg_count', `${registered} offline_msg_count`],
  [x64, `${registered} ${x64}`],
  [`${x64}x`, `${registeredByQiscus} ${x64}x`],
  [x64.toUpperCase(), `${taken} ${x64}`],
  [y255, `${registeredByQiscus} ${y255}`],
  [`${y255}y`, illegal],
  ['user@example.com', `${registeredByQiscus} user@example.com`],
  ['USER@example.com', `${taken} user@example.com`],
  ['@', `${registeredByQiscus} @`],
  ['a;b', illegal],
  ['a?b', illegal],
  ['a#b', illegal],
  ['a b', illegal],
  ['a\tb', illegal],
  ['a\r\nb', illegal],
  ["a'b", illegal],
  ['a"b', illegal],
  ['a\\b', illegal],
  ['a,b', illegal],
  ['a+b', illegal],
  ['*', illegal],
  ['[object Object]', illegal],
];

describe('the fate of a name is the same on every engine:', () => {
  let running: RunningApp;

  beforeAll(async () => {
    running = await startApp();
  });
  afterAll(() => running.stop());

  it.each(outcomes)('%j', async (name, expected) => {
    expect(await outcomeOf(name)).toBe(expected);
  });

  it('no two users in the table have names that differ only in case or Unicode case folding', async () => {
    const users: string[] = [];
    for (let cursor: string | undefined = ''; cursor !== undefined;) {
      const { body } = await running.call('get', `/users?limit=100&cursor=${cursor}`);
      users.push(...(body.entities as { username: string }[]).map((user) => user.username));
      ({ cursor } = body as { cursor?: string });
    }
    expect(new Set(users.map((name) => name.normalize('NFKC').toLowerCase())).size).toBe(users.length);
    expect(users.length).toBeGreaterThan(20);
  });

  async function outcomeOf(name: string): Promise<string> {
    const { path, url, token, app } = running;
    const call = (method: string, at: string, body?: unknown, headers = {}) =>
      rawCall(url, method, at, { token, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    const qiscus = { 'qiscus-sdk-app-id': app.appId, 'qiscus-sdk-secret': app.certificates[0] as string };
    // Half a surrogate has no bytes; this is how a naive client would encode it.
    const inPath = name.isWellFormed() ? encodeURIComponent(name) : '%ED%A0%80';
    const answers = [
      await call('POST', `${path}/users`, { username: name, password: 'secret' }),
      await call('POST', '/api/v2.1/rest/login_or_register', { user_id: name, username: 'shown' }, qiscus),
      await call('GET', `${path}/users/${inPath}`),
      await call('POST', `${path}/token`, { grant_type: 'inherit', username: name }),
      await call('POST', `${path}/users/${inPath}/deactivate`),
    ];
    const found = answers[2]?.body.entities?.[0]?.username as string | undefined;
    return [...answers.map((answer) => answer.status), found ?? '-'].join(' ');
  }
});
