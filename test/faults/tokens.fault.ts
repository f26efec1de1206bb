import { createHmac } from 'node:crypto';
import { deflateSync } from 'node:zlib';
import { JwtService } from '@nestjs/jwt';
import fc from 'fast-check';
import { aBootstrapApp } from '../factories/app.factory.js';
import { runs, seed } from '../support/form.js';
import { RawConnection } from '../support/raw-connection.js';
import { removeLimits, ServiceProcess } from '../support/service-process.js';
import { createDatabase, type TestDatabase } from '../support/test-database.js';
import { accessToken2 } from '../support/tokens.js';

const strings = runs(10_000, 1_000_000);
const connections = 16;
const app = aBootstrapApp();
const neighbour = aBootstrapApp({ org: app.org, name: 'neighbour' });
const ofApp = ({ appId, certificate }: typeof app) => ({ appId, certificates: [certificate] }) as never;

/** One route behind each guard, and the header that its guard reads. `…` stands for the presented token. */
const guards = {
  AgoraAppTokenGuard: ['GET', `/${app.org}/${app.name}/users/somebody`, 'authorization: Bearer …'],
  AgoraRegistrationGuard: ['POST', `/${app.org}/${app.name}/users`, 'authorization: Bearer …'],
  'AgoraTokenController (inherit, agora)': ['POST', `/${app.org}/${app.name}/token`, 'authorization: Bearer …'],
  QiscusServerGuard: [
    'GET',
    '/api/v2.1/rest/user_profile?user_id=somebody',
    `qiscus-sdk-app-id: ${app.appId}\r\nqiscus-sdk-secret: …`,
  ],
  QiscusUserTokenGuard: ['POST', '/api/v2/sdk/logout', `qiscus-sdk-app-id: ${app.appId}\r\nqiscus-sdk-token: …`],
} as const;
const bodies: Readonly<Record<string, string>> = {
  AgoraRegistrationGuard: JSON.stringify({ username: 'let-in', password: 'x' }),
  'AgoraTokenController (inherit, agora)': JSON.stringify({
    grant_type: 'inherit',
    username: 'let-in',
    autoCreateUser: true,
  }),
};

describe('the guards of node dist/main.js', () => {
  let database: TestDatabase;
  let service: ServiceProcess;

  beforeAll(async () => {
    database = await createDatabase('sqlite');
    const env = {
      ...{ DATABASE_URL: database.url, PASSWORD_COST: 'm=8,t=1,p=1', LOG_LEVEL: 'error' },
      BOOTSTRAP_APPS: `${app.text},${neighbour.text}`,
    };
    service = await ServiceProcess.start(env);
    await removeLimits(app, env);
  }, 120_000);
  afterAll(async () => {
    ServiceProcess.killAll();
    await database.drop();
  });

  /** Presents each to the route, over persistent connections. @returns how often each status came */
  async function show(endpoint: keyof typeof guards, shown: readonly string[]): Promise<Record<number, number>> {
    const [method, path, header] = guards[endpoint];
    const body = bodies[endpoint] ?? '';
    const statuses: Record<number, number> = {};
    let next = 0;
    const client = async (): Promise<void> => {
      let connection = await RawConnection.open(service.url);
      for (let index = next++; index < shown.length; index = next++) {
        if (connection.closed) connection = await RawConnection.open(service.url);
        const lines = header.replace('…', () => shown[index] as string);
        connection.send(
          `${method} ${path} HTTP/1.1\r\nhost: x\r\n${lines}\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
        );
        const answer = await connection.answer();
        const status = answer?.status ?? 0;
        statuses[status] = (statuses[status] ?? 0) + 1;
        if (answer?.headers.get('connection') === 'close') connection.end();
      }
      connection.end();
    };
    await Promise.all(Array.from({ length: connections }, client));
    return statuses;
  }

  it.each(Object.keys(guards) as (keyof typeof guards)[])(
    '401 at %s for every token that was not issued for it',
    async (endpoint) => {
      const shown = attacks().map(([, token]) => token);
      // The Qiscus client SDK recognises an expired token by 403.
      const ended = endpoint === 'QiscusUserTokenGuard' ? 1 : 0;
      const expected = { 401: shown.length - ended, ...(ended === 0 ? {} : { 403: ended }) };
      expect(await show(endpoint, shown)).toEqual(expected);
      expect(shown.length).toBeGreaterThan(60);
    },
  );

  it('admits the valid ones', async () => {
    expect(await show('AgoraAppTokenGuard', [accessToken2(ofApp(app))])).toEqual({ 404: 1 });
    expect(await show('AgoraRegistrationGuard', [accessToken2(ofApp(app))])).toEqual({ 200: 1 });
    expect(await show('QiscusServerGuard', [app.certificate])).toEqual({ 404: 1 });
  });

  it(`0 of ${strings} random texts are admitted, and none causes an error`, async () => {
    const endpoints = Object.keys(guards) as (keyof typeof guards)[];
    const total: Record<number, number> = {};
    const each = Math.ceil(strings / endpoints.length);
    const atOnce = 10_000;
    for (const [index, endpoint] of endpoints.entries())
      for (let start = 0; start < each; start += atOnce) {
        const texts = fc.sample(randomTexts, { seed: seed + index + start, numRuns: Math.min(atOnce, each - start) });
        for (const [status, count] of Object.entries(await show(endpoint, texts)))
          total[Number(status)] = (total[Number(status)] ?? 0) + count;
      }
    console.log(`tokens: ${JSON.stringify(total)} of ${strings} random texts by status, seed ${seed}`);
    // 400: bytes that no header may have.
    const { 400: malformed = 0, 401: refused = 0, ...others } = total;
    expect({ others, seed }).toEqual({ others: {}, seed });
    expect(malformed + refused).toBe(each * endpoints.length);
    expect(refused).toBeGreaterThan(malformed);
  }, 1_800_000);
});

/** Texts that a thief might try: anything, or in the shape of a token. */
const randomTexts = fc.oneof(
  fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 200 }).map((text) => text.trim() || 'x'),
  fc.string({
    unit: fc.integer({ min: 0x21, max: 0xff }).map((code) => String.fromCharCode(code)),
    minLength: 1,
    maxLength: 60,
  }),
  fc.base64String({ minLength: 4, maxLength: 400 }).map((text) => `007${text}`),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => `007${deflateSync(bytes).toString('base64')}`),
  fc
    .tuple(
      fc.constantFrom('{"alg":"HS256","typ":"JWT","kid":"0123456789abcdef"}', '{"alg":"none"}'),
      fc.json(),
      fc.base64String({ minLength: 4, maxLength: 60 }),
    )
    .map(([head, payload, signature]) =>
      [base64url(head), base64url(payload), signature.replace(/[+/=]/g, 'A')].join('.'),
    ),
  fc.stringMatching(/^[0-9a-f]{32}$/),
);

function base64url(text: string): string {
  return Buffer.from(text).toString('base64url');
}

/**
 * A sample of the unit tests' attacks: tokens that are valid elsewhere, were valid once, or were valid before they were
 * altered.
 */
function attacks(): [string, string][] {
  const good = accessToken2(ofApp(app));
  const now = Math.floor(Date.now() / 1_000);
  const claims = { iss: 'rollcall', aud: app.appId, jti: 'AAAAAAAAAAAAAAAA', iat: now, exp: now + 600, use: 'app' };
  const signed = (header: object, payload: object, secret: string | Buffer) => {
    const text = `${base64url(JSON.stringify(header))}.${base64url(JSON.stringify(payload))}`;
    return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
  };
  const header = { alg: 'HS256', typ: 'JWT', kid: '0'.repeat(16) };
  const bytes = Buffer.from(good.slice(3), 'base64');
  const flipped = Array.from({ length: bytes.length }, (_none, index): [string, string] => {
    const changed = Buffer.from(bytes);
    changed[index]! ^= 1 << (index % 8);
    return [`bit ${index * 8 + (index % 8)} changed`, `007${changed.toString('base64')}`];
  });
  const cut = Array.from({ length: 40 }, (_none, index): [string, string] => [
    `${index + 1} truncated`,
    good.slice(0, -index - 1),
  ]);
  return [
    ['the app token of another app', accessToken2(ofApp(neighbour))],
    ['the user token of another app', accessToken2(ofApp(neighbour), 'somebody')],
    [
      'the App ID with the certificate of another app',
      accessToken2(ofApp({ ...app, certificate: neighbour.certificate })),
    ],
    ['a token that expired at once', accessToken2(ofApp(app), null, 0)],
    ['a user token for an unknown user', accessToken2(ofApp(app), 'nobody')],
    ['alg none', `${base64url('{"alg":"none"}')}.${base64url(JSON.stringify(claims))}.`],
    ['alg none without a last part', `${base64url('{"alg":"none"}')}.${base64url(JSON.stringify(claims))}`],
    ['signed with the certificate itself', signed(header, claims, app.certificate)],
    ['signed with the bytes of the certificate', signed(header, claims, Buffer.from(app.certificate, 'hex'))],
    ['signed with the App ID', signed(header, claims, app.appId)],
    ['signed with nothing', signed(header, claims, '')],
    [
      'an identity token',
      new JwtService().sign({ iss: app.appId, prn: 'a', exp: now + 60 }, { secret: app.certificate }),
    ],
    ['the certificate of another app', neighbour.certificate],
    ['the App ID', app.appId],
    ['version 006', `006${good.slice(3)}`],
    ['version 008', `008${good.slice(3)}`],
    ['a bomb', `007${deflateSync(Buffer.alloc(1_500_000)).toString('base64')}`],
    ['three parts of nothing', '..'],
    ['undefined', 'undefined'],
    ['null', 'null'],
    ['an object', '{"$ne":null}'],
    ...flipped,
    ...cut,
  ];
}
