import request from 'supertest';
import type { App } from '../../../src/apps/app.js';
import type { AppRow } from '../../../src/apps/app.entity.js';
import { AppsService } from '../../../src/apps/apps.service.js';
import { issueNonce } from '../../../src/auth/identity-nonce.js';
import { issuer, JsonWebTokens } from '../../../src/auth/json-web-tokens.js';
import { deriveSigningKey } from '../../../src/auth/signing-key.js';
import { deriveRefreshToken, deriveUserToken } from '../../../src/profiles/user-token.js';
import type { UserProfileRow } from '../../../src/profiles/user-profile.entity.js';
import { aUsername } from '../../factories/user.factory.js';
import { GatewayClient } from '../../support/gateway-client.js';
import { rowsOf } from '../../support/rows.js';
import { type RunningApp, startApp } from '../../support/start-app.js';
import { signIdentity } from '../../support/tenant.js';
import { accessToken2 } from '../../support/tokens.js';

/** The tables that tokens are derived from, as a backup would expose them. */
interface Leak {
  readonly app: App;
  readonly users: readonly (UserProfileRow & { readonly username: string })[];
}

describe('when all secrets of an app have leaked', () => {
  let running: RunningApp;
  let apps: AppsService;
  beforeAll(async () => {
    running = await startApp();
    apps = running.nest.get(AppsService);
  });
  afterAll(() => running.stop());

  const leak = async (): Promise<Leak> => {
    const { id } = running.app;
    const { url } = running.database;
    const [row] = await rowsOf<AppRow>(url, `SELECT * FROM apps WHERE id = '${id}'`);
    const { certificate, previous_certificate: previous, token_secret: tokenSecret } = row as AppRow;
    return {
      app: { ...running.app, certificates: previous === null ? [certificate] : [certificate, previous], tokenSecret },
      users: await rowsOf(
        url,
        `SELECT p.*, u.username FROM user_profiles p JOIN users u ON u.app_id = p.app_id AND u.uuid = p.user_uuid WHERE p.app_id = '${id}'`,
      ),
    };
  };
  const post = (path: string, body: object, headers: Record<string, string> = {}) =>
    request(running.url)
      .post(`/api/${path}`)
      .set({ 'qiscus-sdk-app-id': running.app.appId, ...headers })
      .send(body);
  const isAccepted = async (token: string): Promise<boolean> =>
    (await post('v2/sdk/logout', {}, { 'qiscus-sdk-token': token })).status === 200;
  const connects = async (token: string): Promise<boolean> => {
    const client = await GatewayClient.connect(running.url, running.path);
    client.send({ type: 'login', token });
    const { type } = await client.next();
    client.socket.terminate();
    return type === 'ready';
  };
  const isOk = async (call: PromiseLike<{ status: number }>): Promise<boolean> => (await call).status === 200;

  /** Everything an attacker can build from the leak. Returns what is still accepted. */
  async function stillAccepted({ app, users }: Leak): Promise<string[]> {
    const now = Math.floor(Date.now() / 1000);
    const accepted: string[] = [];
    const attempt = async (what: string, result: Promise<boolean>) => void ((await result) && accepted.push(what));
    for (const [index, certificate] of app.certificates.entries()) {
      const what = `certificate ${index}: `;
      const common = { iss: issuer, aud: app.id, jti: 'AAAAAAAAAAAAAAAA', iat: now, exp: now + 600 } as const;
      const key = deriveSigningKey(app.id, certificate);
      const with007 = { appId: app.appId, certificates: [certificate] };
      for (const [name, token] of [
        ['app JWT', running.nest.get(JsonWebTokens).sign({ ...common, use: 'app' }, key)],
        ['app 007', accessToken2(with007)],
      ] as const)
        await attempt(what + name, isOk(running.call('get', '/users', { token })));
      const credentials = { grant_type: 'client_credentials', client_id: app.appId, client_secret: certificate };
      await attempt(`${what}credentials`, isOk(running.call('post', '/token', { body: credentials, token: null })));
      const secret = { 'qiscus-sdk-secret': certificate };
      const list = request(running.url)
        .get('/api/v2.1/rest/get_user_list')
        .set({ 'qiscus-sdk-app-id': app.appId, ...secret });
      await attempt(`${what}Qiscus server`, isOk(list));
      for (const { username, user_uuid: sub } of users) {
        const jwt = running.nest.get(JsonWebTokens).sign({ ...common, use: 'user', sub, epoch: 0 }, key);
        await attempt(`${what}user JWT`, connects(jwt));
        await attempt(`${what}user 007`, connects(accessToken2(with007, sub)));
        const { nonce } = issueNonce(app, now);
        const body = { identity_token: signIdentity(certificate, { iss: app.appId, prn: username, nce: nonce }) };
        await attempt(`${what}identity token`, isOk(post('v2/sdk/auth/verify_identity_token', body)));
      }
    }
    for (const { user_uuid: uuid, username, token_version: version } of users) {
      for (const distance of Array.from({ length: 20 }, (_none, index) => index))
        for (const triedVersion of new Set([version + distance, distance])) {
          const token = deriveUserToken(app, uuid, triedVersion);
          await attempt('user token', isAccepted(token));
          if (distance === 0) await attempt('session of a user token', connects(token));
        }
      for (const triedVersion of [version, version + 1, 0]) {
        const body = { user_id: username, refresh_token: deriveRefreshToken(app, uuid, triedVersion) };
        await attempt('refresh token', isOk(post('v2/sdk/refresh_user_token', body)));
      }
    }
    return [...new Set(accepted)].sort();
  }

  const register = async (): Promise<{ username: string; token: string }> => {
    const username = aUsername();
    const headers = { 'qiscus-sdk-secret': (await current()).certificates[0] as string };
    await post('v2.1/rest/login_or_register', account(username), headers).expect(200);
    return { username, token: (await login(username)).token };
  };
  const login = async (email: string): Promise<{ token: string; refresh_token: string }> =>
    (await post('v2/sdk/login_or_register', { email, password: 'secret' })).body.results.user;
  const account = (username: string) => ({ user_id: username, username: 'Somebody', password: 'secret' });
  const current = async (): Promise<App> => (await apps.find(running.app.org, running.app.name)) as App;

  it('the procedure in SECURITY.md makes the leak worthless: no old or future token, and no session', async () => {
    const users = [await register(), await register()];
    await apps.rotate(running.app);
    const leaked = await leak();
    expect(leaked.users).toHaveLength(2);
    const forgeable = ['app JWT', 'app 007', 'credentials', 'Qiscus server', 'user JWT', 'user 007', 'identity token'];
    const all = [
      ...forgeable.flatMap((name) => [`certificate 0: ${name}`, `certificate 1: ${name}`]),
      ...['refresh token', 'session of a user token', 'user token'],
    ];
    expect(await stillAccepted(leaked)).toEqual(all.sort());
    const sessions = await Promise.all(
      [
        ...users.map(({ token }) => token),
        ...leaked.app.certificates.map((one) =>
          accessToken2({ ...leaked.app, certificates: [one] }, users[0]?.username),
        ),
      ].map((token) => GatewayClient.login(running.url, running.path, token)),
    );

    await apps.replaceSecrets(running.app);
    const startedAt = performance.now();
    expect(await stillAccepted(leaked)).toEqual([]);
    for (const { code, at } of await Promise.all(sessions.map((session) => session.closed))) {
      expect(code).toBe(4005);
      expect(at - startedAt).toBeLessThan(10_000);
    }

    // The app carries on with its new secrets and existing users; tokens issued from now on are out of reach of the
    // leak, too.
    const server = { 'qiscus-sdk-secret': (await current()).certificates[0] as string };
    for (const { username, token } of users) {
      const reset = await post('v2.1/rest/reset_user_token', { user_id: username }, server);
      expect(reset.body.results.token).not.toBe(token);
      const answer = await request(running.url)
        .get(`/api/v2.1/rest/get_user_token?user_id=${username}`)
        .set({ 'qiscus-sdk-app-id': running.app.appId, ...server });
      expect(await isAccepted(answer.body.results.token)).toBe(true);
    }
    expect(await stillAccepted(leaked)).toEqual([]);
    const { users: later } = await leak();
    expect(await stillAccepted({ ...leaked, users: later })).toEqual([]);
  }, 60_000);

  it('token_secret=new alone ends user tokens after a leak of that secret, and every user gets a new one', async () => {
    const { username, token } = await register();
    const app = await current();
    const session = await GatewayClient.login(running.url, running.path, token);
    const other = await GatewayClient.login(running.url, running.path, accessToken2(app, username));
    await apps.set(app, 'token_secret', 'new');
    expect([await isAccepted(token), await connects(token)]).toEqual([false, false]);
    expect((await session.closed).code).toBe(4005);
    const renewed = await login(username);
    expect(renewed.token).not.toBe(token);
    expect([await isAccepted(renewed.token), await connects(renewed.token), await isAccepted(token)]).toEqual([
      ...[true, true],
      false,
    ]);
    const again = { user_id: username, refresh_token: renewed.refresh_token };
    expect((await post('v2/sdk/refresh_user_token', again)).body.results.token).toBe(renewed.token);
    expect(other.open).toBe(true);
    await other.close();
    for (const text of ['', 'none', 'f'.repeat(64)])
      await expect(apps.set(app, 'token_secret', text)).rejects.toMatchObject({ code: 'argument_invalid' });
  }, 30_000);

  it('a token created by a reset is never revealed', async () => {
    const { username } = await register();
    const headers = { 'qiscus-sdk-secret': (await current()).certificates[0] as string };
    const before = (await leak()).users.find((user) => user.username === username);
    await post('v2.1/rest/reset_user_token', { user_id: username }, headers);
    const after = (await leak()).users.find((user) => user.username === username);
    expect(Math.abs(Number(after?.token_version) - Number(before?.token_version))).toBeGreaterThan(1_000);
    expect(Number(before?.token_version)).toBeGreaterThan(1_000);
  });
});
