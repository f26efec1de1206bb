import { createRequire } from 'node:module';
import { JwtService } from '@nestjs/jwt';
import type { App } from '../apps/app.js';
import { defaultAppSettings } from '../apps/app-settings.js';
import { FixedClock } from '../../test/support/fixed-clock.js';
import type { ProfilesService } from '../profiles/profiles.service.js';
import type { User } from '../users/user.js';
import type { UsersService } from '../users/users.service.js';
import { isForOwner } from '../users/token-epoch.js';
import { JsonWebTokens, jwtOptions } from './json-web-tokens.js';
import { TokensService } from './tokens.service.js';

const official = createRequire(import.meta.url)('agora-token/src/AccessToken2');

const longestLife = 2_147_483_647;
const [firstCertificate, secondCertificate] = ['a'.repeat(32), 'b'.repeat(32)] as const;

function makeApp(changes: Partial<App> = {}): App {
  return {
    id: '0b7f6a58-1111-4222-8333-444455556666',
    org: 'demo',
    name: 'demo',
    appId: '970ca35de60c44645bbae8a215061b33',
    certificates: [firstCertificate],
    alias: null,
    tokenSecret: 'c'.repeat(64),
    clientCredentials: null,
    disabled: false,
    settings: { ...defaultAppSettings, token_ttl_seconds: 3600 },
    createdAt: 0,
    ...changes,
  };
}

const otherApp = makeApp({ id: 'other', name: 'other', appId: 'f'.repeat(32), certificates: [secondCertificate] });

const uuids = { alice: '93b1ba30-fcf8-11ec-8049-25ea280f31b8', bob: '93b1ba30-fcf8-11ec-8049-25ea280f31b9' };

function setUp() {
  const app = makeApp();
  const clock = new FixedClock();
  const alice: User = {
    appId: app.id,
    username: 'alice',
    uuid: uuids.alice,
    id: 1,
    nickname: null,
    activated: true,
    ban: null,
    createdAt: 0,
    modifiedAt: 0,
    passwordHash: null,
    tokenEpoch: 0,
    hasBlocks: false,
    pushSettings: null,
  };
  let table = [alice];
  const users = {
    find: async (appId: string, name: string) =>
      table.find((user) => user.appId === appId && user.username === name.toLowerCase()) ?? null,
    findByUuid: async (appId: string, uuid: string) =>
      table.find((user) => user.appId === appId && user.uuid === uuid.toLowerCase()) ?? null,
    isForOwner: async (user: User, atSeconds: number) => isForOwner(atSeconds, user.createdAt, null),
  };
  /** Alice's token consists of twenty letters `A`. */
  const profiles = {
    findByToken: async (_app: App, token: string) =>
      token === 'A'.repeat(20) && table[0] !== undefined ? { user: table[0], tokenEpoch: 0 } : null,
  };
  return {
    app,
    clock,
    alice,
    tokens: new TokensService(
      clock,
      users as unknown as UsersService,
      profiles as unknown as ProfilesService,
      new JsonWebTokens(new JwtService(jwtOptions)),
    ),
    /** Replaces what the database holds. */
    store: (...rows: User[]) => (table = rows),
    agoraToken(privilege: 1 | 2, userId = '', { certificate = firstCertificate, of = app, life = 600 } = {}): string {
      const token = new official.AccessToken2(of.appId, certificate, clock.nowSeconds(), life);
      const service = new official.ServiceChat(userId);
      service.add_privilege(privilege, life);
      token.add_service(service);
      return token.build();
    },
  };
}

const refusal = (code: string) => expect.objectContaining({ name: 'AppError', code });

describe('issuing', () => {
  test.each([
    ['the app setting when no ttl is named', undefined, 3600],
    ['the ttl that is named', 60, 60],
    ['the longest life for ttl 0', 0, longestLife],
    ['the longest life for a ttl beyond it', 2 ** 40, longestLife],
  ])('a token lives %s', (_, ttl, life) => {
    const { app, alice, tokens, clock } = setUp();
    for (const issued of [tokens.issueAppToken(app, ttl), tokens.issueUserToken(app, alice, ttl)])
      expect(issued).toEqual({ accessToken: expect.any(String), expiresInSeconds: life });
    const { expiresAtSeconds } = tokens.authenticateApp(app, tokens.issueAppToken(app, ttl).accessToken);
    expect(expiresAtSeconds).toBe(clock.nowSeconds() + life);
  });

  test.each([-1, 0.5, NaN, Infinity])('the ttl %p is refused', (ttl) => {
    const { app, alice, tokens } = setUp();
    expect(() => tokens.issueAppToken(app, ttl)).toThrow(refusal('argument_invalid'));
    expect(() => tokens.issueUserToken(app, alice, ttl)).toThrow(refusal('argument_invalid'));
  });

  test('a banned user gets no token', () => {
    const { app, alice, tokens } = setUp();
    expect(() => tokens.issueUserToken(app, { ...alice, activated: false })).toThrow(refusal('user_banned'));
  });

  test('two tokens of one second differ', () => {
    const { app, tokens } = setUp();
    expect(tokens.issueAppToken(app).accessToken).not.toBe(tokens.issueAppToken(app).accessToken);
  });
});

describe.each(['JWT', 'AccessToken2'])('an app token (%s)', (form) => {
  function setUpToken() {
    const world = setUp();
    const token = form === 'JWT' ? world.tokens.issueAppToken(world.app, 600).accessToken : world.agoraToken(2);
    return { ...world, token };
  }

  test('is accepted until it expires, the first time and again', () => {
    const { app, clock, tokens, token } = setUpToken();
    const accepted = { kind: 'app', expiresAtSeconds: clock.nowSeconds() + 600 };
    expect(tokens.authenticateApp(app, token)).toEqual(accepted);
    clock.advance(599_999);
    expect(tokens.authenticateApp(app, token)).toEqual(accepted);
    clock.advance(1);
    expect(() => tokens.authenticateApp(app, token)).toThrow(refusal('token_expired'));
  });

  test('is refused by another app, even after its own app accepted it', () => {
    const { app, tokens, token } = setUpToken();
    tokens.authenticateApp(app, token);
    expect(() => tokens.authenticateApp(otherApp, token)).toThrow(refusal('token_not_accepted'));
    const sameCertificate = { ...otherApp, certificates: app.certificates };
    expect(() => tokens.authenticateApp(sameCertificate, token)).toThrow(refusal('token_not_accepted'));
  });

  test('remains valid while its certificate is being rotated, and ends with it although it was accepted before', () => {
    const { app, tokens, token } = setUpToken();
    tokens.authenticateApp(app, token);
    const rotating = { ...app, certificates: [secondCertificate, firstCertificate] };
    expect(tokens.authenticateApp(rotating, token).kind).toBe('app');
    const code = form === 'JWT' ? 'token_not_accepted' : 'token_malformed';
    expect(() => tokens.authenticateApp({ ...app, certificates: [secondCertificate] }, token)).toThrow(refusal(code));
  });

  test('is not a user token', async () => {
    const { app, tokens, token } = setUpToken();
    await expect(tokens.authenticateUser(app, token)).rejects.toEqual(refusal('token_not_accepted'));
  });

  test('is refused with anything added, even after it was accepted', () => {
    const { app, tokens, token } = setUpToken();
    tokens.authenticateApp(app, token);
    for (const other of [` ${token}`, `${token} `, `${token}\n`, `${token}=`, token.slice(0, -1)])
      expect(() => tokens.authenticateApp(app, other)).toThrow(refusal('token_malformed'));
  });
});

describe.each(['JWT', 'AccessToken2 with the uuid', 'AccessToken2 with the name'])('a user token (%s)', (form) => {
  function setUpToken() {
    const world = setUp();
    const make = (user = world.alice) =>
      form === 'JWT'
        ? world.tokens.issueUserToken(world.app, user, 600).accessToken
        : world.agoraToken(1, form.endsWith('uuid') ? user.uuid : user.username);
    return { ...world, make, token: make() };
  }

  test('is accepted until it expires, with the user as stored now', async () => {
    const { app, alice, clock, tokens, token, store } = setUpToken();
    expect(await tokens.authenticateUser(app, token)).toMatchObject({
      user: alice,
      expiresAtSeconds: clock.nowSeconds() + 600,
    });
    store({ ...alice, nickname: 'Al' });
    expect((await tokens.authenticateUser(app, token)).user.nickname).toBe('Al');
    clock.advance(600_000);
    await expect(tokens.authenticateUser(app, token)).rejects.toEqual(refusal('token_expired'));
  });

  test('is not an app token', () => {
    const { app, tokens, token } = setUpToken();
    expect(() => tokens.authenticateApp(app, token)).toThrow(refusal('token_not_accepted'));
  });

  test('ends with the next request when the epoch moves, and a new one is valid', async () => {
    const { app, alice, clock, tokens, token, make, store } = setUpToken();
    await tokens.authenticateUser(app, token);
    clock.advance(10_500);
    const revoked = { ...alice, tokenEpoch: clock.now() };
    store(revoked);
    await expect(tokens.authenticateUser(app, token)).rejects.toEqual(refusal('token_not_accepted'));
    clock.advance(1000);
    expect((await tokens.authenticateUser(app, make(revoked))).user).toEqual(revoked);
  });

  test('a banned user is told so, a deleted user is unknown', async () => {
    const { app, alice, tokens, token, store } = setUpToken();
    store({ ...alice, activated: false });
    await expect(tokens.authenticateUser(app, token)).rejects.toEqual(refusal('user_banned'));
    store();
    await expect(tokens.authenticateUser(app, token)).rejects.toEqual(refusal('token_not_accepted'));
  });

  test('is refused by another app that has a user of the same name and uuid', async () => {
    const { alice, tokens, token, store } = setUpToken();
    store({ ...alice, appId: otherApp.id });
    await expect(tokens.authenticateUser(otherApp, token)).rejects.toEqual(refusal('token_not_accepted'));
  });
});

describe('user tokens', () => {
  test('a JWT follows the uuid: whoever registers the name again does not inherit it', async () => {
    const { app, alice, tokens, store } = setUp();
    const { accessToken } = tokens.issueUserToken(app, alice);
    store({ ...alice, uuid: uuids.bob });
    await expect(tokens.authenticateUser(app, accessToken)).rejects.toEqual(refusal('token_not_accepted'));
  });

  test('a JWT issued right after a revocation, in the same second, is valid', async () => {
    const { app, alice, clock, tokens, store } = setUp();
    const revoked = { ...alice, tokenEpoch: clock.now() };
    store(revoked);
    const { accessToken } = tokens.issueUserToken(app, revoked);
    expect((await tokens.authenticateUser(app, accessToken)).issued).toEqual({
      by: 'rollcall',
      epoch: revoked.tokenEpoch,
    });
  });

  test('an AccessToken2 issued in the second of the revocation is refused, one of the next second is valid', async () => {
    const { app, alice, clock, tokens, agoraToken, store } = setUp();
    clock.advance(500);
    store({ ...alice, tokenEpoch: clock.now() });
    clock.advance(499);
    await expect(tokens.authenticateUser(app, agoraToken(1, 'alice'))).rejects.toEqual(refusal('token_not_accepted'));
    clock.advance(1);
    const { issued } = await tokens.authenticateUser(app, agoraToken(1, 'alice'));
    expect(issued).toEqual({ by: 'agora', atSeconds: clock.nowSeconds() });
  });

  test("an AccessToken2 with a name opens no account registered later, one with a uuid opens that user's", async () => {
    const { app, alice, clock, tokens, agoraToken, store } = setUp();
    const [byName, byUuid] = [agoraToken(1, 'alice'), agoraToken(1, alice.uuid)];
    clock.advance(1000);
    store({ ...alice, createdAt: clock.now() });
    for (const open of [tokens.authenticateUser(app, byName), tokens.exchange(app, byName)])
      await expect(open).rejects.toEqual(refusal('token_not_accepted'));
    expect((await tokens.authenticateUser(app, byUuid)).user.uuid).toBe(alice.uuid);
    expect((await tokens.authenticateUser(app, agoraToken(1, 'alice'))).user.uuid).toBe(alice.uuid);
  });

  test('an AccessToken2 finds its user in any letter case of the name or uuid', async () => {
    const { app, alice, tokens, agoraToken } = setUp();
    for (const userId of ['ALICE', alice.uuid.toUpperCase()])
      expect((await tokens.authenticateUser(app, agoraToken(1, userId))).user).toEqual(alice);
  });

  test('an ambiguous AccessToken2 opens neither account', async () => {
    const { app, alice, tokens, agoraToken, store } = setUp();
    const impostor = { ...alice, username: alice.uuid, uuid: uuids.bob };
    store(impostor, alice);
    await expect(tokens.authenticateUser(app, agoraToken(1, alice.uuid))).rejects.toEqual(
      refusal('token_not_accepted'),
    );
    expect((await tokens.authenticateUser(app, agoraToken(1, uuids.bob))).user).toEqual(impostor);
  });
});

describe('a user token of 20 characters', () => {
  const userToken = 'A'.repeat(20);

  test('opens the account in the epoch in which it was looked up', async () => {
    const { app, alice, tokens } = setUp();
    expect(await tokens.authenticateUser(app, userToken)).toMatchObject({
      user: alice,
      issued: { by: 'rollcall', epoch: 0 },
    });
  });

  test('is refused if it is nobody’s, and if the user’s epoch moved during the look-up', async () => {
    const { app, alice, tokens, store } = setUp();
    await expect(tokens.authenticateUser(app, 'B'.repeat(20))).rejects.toEqual(refusal('token_not_accepted'));
    store({ ...alice, tokenEpoch: 1 });
    await expect(tokens.authenticateUser(app, userToken)).rejects.toEqual(refusal('token_not_accepted'));
  });

  test('a banned user is told so', async () => {
    const { app, alice, tokens, store } = setUp();
    store({ ...alice, activated: false });
    await expect(tokens.authenticateUser(app, userToken)).rejects.toEqual(refusal('user_banned'));
  });

  test('is not an app token', () => {
    const { app, tokens } = setUp();
    expect(() => tokens.authenticateApp(app, userToken)).toThrow(refusal('token_malformed'));
  });
});

describe('exchange', () => {
  test("an app's AccessToken2 becomes an app token with the same expiry", async () => {
    const { app, clock, tokens, agoraToken } = setUp();
    const agora = agoraToken(2);
    clock.advance(100_000);
    const { accessToken, expiresAtSeconds } = await tokens.exchange(app, agora);
    expect(accessToken.split('.')).toHaveLength(3);
    expect(expiresAtSeconds).toBe(clock.nowSeconds() + 500);
    expect(tokens.authenticateApp(app, accessToken)).toEqual({ kind: 'app', expiresAtSeconds });
  });

  test("a user's AccessToken2 becomes a user token with the same expiry and the current epoch", async () => {
    const { app, alice, clock, tokens, agoraToken, store } = setUp();
    const { accessToken, expiresAtSeconds } = await tokens.exchange(app, agoraToken(1, 'alice'));
    expect(expiresAtSeconds).toBe(clock.nowSeconds() + 600);
    expect(await tokens.authenticateUser(app, accessToken)).toMatchObject({ user: alice, expiresAtSeconds });
    store({ ...alice, tokenEpoch: clock.now() });
    await expect(tokens.authenticateUser(app, accessToken)).rejects.toEqual(refusal('token_not_accepted'));
  });

  test('a token limited to 24 hours lasts no longer after the exchange', async () => {
    const { app, clock, tokens, agoraToken } = setUp();
    const { expiresAtSeconds } = await tokens.exchange(app, agoraToken(2, '', { life: 0xffff_ffff }));
    expect(expiresAtSeconds).toBe(clock.nowSeconds() + 86_400);
  });

  test('is signed with the current certificate, not with the previous one', async () => {
    const { app, tokens, agoraToken } = setUp();
    const rotating = { ...app, certificates: [secondCertificate, firstCertificate] };
    const { accessToken } = await tokens.exchange(rotating, agoraToken(2));
    expect(tokens.authenticateApp({ ...app, certificates: [secondCertificate] }, accessToken).kind).toBe('app');
  });

  test.each<[string, (world: ReturnType<typeof setUp>) => string, string]>([
    ['a JWT', ({ tokens, app }) => tokens.issueAppToken(app).accessToken, 'token_malformed'],
    ['nothing', () => '', 'token_malformed'],
    [
      'a forged AccessToken2',
      ({ agoraToken }) => agoraToken(2, '', { certificate: secondCertificate }),
      'token_malformed',
    ],
    ['an AccessToken2 of another app', ({ agoraToken }) => agoraToken(2, '', { of: otherApp }), 'token_not_accepted'],
    ['an AccessToken2 of an unknown user', ({ agoraToken }) => agoraToken(1, 'nobody'), 'token_not_accepted'],
    ['an AccessToken2 that expired', ({ agoraToken }) => agoraToken(2, '', { life: 0 }), 'token_expired'],
    [
      'an AccessToken2 of a banned user',
      ({ agoraToken, store, alice }) => {
        store({ ...alice, activated: false });
        return agoraToken(1, 'alice');
      },
      'user_banned',
    ],
  ])('%s is refused', async (_, make, code) => {
    const world = setUp();
    await expect(world.tokens.exchange(world.app, make(world))).rejects.toEqual(refusal(code));
  });
});

test('at most 10,000 tokens are cached: older ones are verified again and still valid', () => {
  const { app, tokens } = setUp();
  const issued = Array.from({ length: 10_050 }, () => tokens.issueAppToken(app).accessToken);
  for (const token of issued) tokens.authenticateApp(app, token);
  for (const token of issued.slice(0, 50)) expect(tokens.authenticateApp(app, token).kind).toBe('app');
});
