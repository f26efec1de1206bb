import { rawCall } from '../../support/raw-call.js';
import { type RunningApp, startApp } from '../../support/start-app.js';

const x64 = 'x'.repeat(64);
const y255 = 'y'.repeat(255);

const illegal = '400 400 404 404 404 -';
/** Taken by the first registration, so Qiscus asks for the password of the existing user. */
const made = '200 400 200 200 200';
/** Taken by an earlier test, whose user was banned at the end. */
const taken = '400 401 200 400 200';
const madeByQiscus = '400 200 200 200 200';

/**
 * The fate of a name on every engine, as statuses in this order: registration through the Agora dialect, registration
 * through Qiscus, look-up, token, ban; then the name that the look-up returns.
 */
const outcomes: [string, string][] = [
  ['alice', `${made} alice`],
  ['ALICE', `${taken} alice`],
  ['alice ', illegal],
  [' alice', illegal],
  ['alice.', `${made} alice.`],
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
  ['kate', `${made} kate`],
  ['KATE', `${taken} kate`],
  ['\u0130stanbul', illegal],
  ['i\u0307stanbul', illegal],
  ['\u0131stanbul', illegal],
  ['ISTANBUL', `${made} istanbul`],
  ['istanbul', `${taken} istanbul`],
  ['stra\u00dfe', illegal],
  ['strasse', `${made} strasse`],
  ['\u017fam', illegal],
  ['sam', `${made} sam`],
  ['caf\u00e9', illegal],
  ['cafe\u0301', illegal],
  ['cafe', `${made} cafe`],
  ['\u{1f600}', illegal],
  ['\u{1f601}', illegal],
  ['batch', `${made} batch`],
  ['Batch', `${taken} batch`],
  ['%2F', illegal],
  ['a%2Fb', illegal],
  ['a/b', illegal],
  ['%00', illegal],
  ['%ff', illegal],
  ['%', illegal],
  ['.', illegal],
  ['..', illegal],
  ['...', `${made} ...`],
  ['-', `${made} -`],
  ['_', `${made} _`],
  ['-1', `${made} -1`],
  ['0', `${made} 0`],
  ['1e3', `${made} 1e3`],
  ['me', `${made} me`],
  ['admin', `${made} admin`],
  ['null', `${made} null`],
  ['undefined', `${made} undefined`],
  ['true', `${made} true`],
  ['__proto__', `${made} __proto__`],
  ['constructor', `${made} constructor`],
  ['toString', `${made} tostring`],
  ['users', `${made} users`],
  ['status', `${made} status`],
  ['offline_msg_count', `${made} offline_msg_count`],
  [x64, `${made} ${x64}`],
  [`${x64}x`, `${madeByQiscus} ${x64}x`],
  [x64.toUpperCase(), `${taken} ${x64}`],
  [y255, `${madeByQiscus} ${y255}`],
  [`${y255}y`, illegal],
  ['user@example.com', `${madeByQiscus} user@example.com`],
  ['USER@example.com', `${taken} user@example.com`],
  ['@', `${madeByQiscus} @`],
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
