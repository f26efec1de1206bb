import { accessOfRoutes, idempotentRoutes } from '../support/route-access.js';
import { rawCall } from '../support/raw-call.js';
import { type RunningApp, startApp } from '../support/start-app.js';

/**
 * Routes anyone may call. `POST …/token` has its credentials in the body; the users route has its own guard, tested
 * below.
 */
const openToEveryone = ['GET /easemob/server.json', 'GET /health/live', 'GET /health/ready', 'GET /metrics'];
/** Routes without an Idempotency-Key although they are not GETs: they query, or they issue tokens. */
const notIdempotent = [
  /\/token$/,
  /\/batch\/status$/,
  /\/metadata\/user\/get$/,
  /\/(blocks|contacts)\/check$/,
  /^POST .*\/users\/:username\/presence$/,
  /^POST \/api\/v2\.1\/rest\/get_user_list$/,
  /^POST \/api\/v2\/((sdk|mobile)\/)?(auth\/|login_or_register|refresh_user_token|users\/status|logout)/,
];
/** Routes with an Idempotency-Key although they are GETs: they end sessions. */
const changingGets = /\/disconnect(\/|$)/;
/** The API documents: served by Fastify itself. */
const documents = /^\/docs(\/|$)/;
const guards: Record<string, string[]> = {
  AgoraAppGuard: ['POST /:org/:app/token', 'POST /app-id/:appId/token'],
  AgoraRegistrationGuard: ['POST /:org/:app/users', 'POST /app-id/:appId/users'],
  // What a user's own token opens in an app with `user_tokens`.
  AgoraOwnUserGuard: ['/:org/:app', '/app-id/:appId'].flatMap((prefix) => [
    ...[`PUT ${prefix}/users/:username`, `GET ${prefix}/users/:username/resources`],
    ...[`GET ${prefix}/users/:username/joined_chatgroups`, `GET ${prefix}/users/:username/joined_chatrooms`],
    ...[`GET ${prefix}/user/:username/contacts`, `GET ${prefix}/users/:username/contacts`],
    ...['GET', 'POST', 'DELETE'].map((verb) => `${verb} ${prefix}/users/:username/blocks/users`),
    ...['POST', 'DELETE'].map((verb) => `${verb} ${prefix}/sdk/user/:username/blocks`),
    ...['POST', 'PUT', 'DELETE'].map((verb) => `${verb} ${prefix}/users/:username/contacts/users/:friend`),
    `PUT ${prefix}/user/:username/contacts/users/:friend`,
    ...[`GET ${prefix}/users/:username/contacts/users`, `DELETE ${prefix}/users/:username/blocks/users/:usernames`],
  ]),
  // What a Qiscus client calls before it has a token; passwords and identity tokens are in the body.
  QiscusAppGuard: ['/api/v2/sdk', '/api/v2/mobile', '/api/v2'].flatMap((prefix) => [
    `GET ${prefix}/config`,
    `POST ${prefix}/auth/nonce`,
    `POST ${prefix}/auth/verify_identity_token`,
    `POST ${prefix}/login_or_register`,
    `POST ${prefix}/refresh_user_token`,
  ]),
  QiscusUserTokenGuard: [
    ...['/api/v2/sdk', '/api/v2/mobile', '/api/v2'].flatMap((prefix) => [
      `POST ${prefix}/users/status`,
      `POST ${prefix}/logout`,
    ]),
    ...['/api/v2/sdk', '/api/v2/mobile'].flatMap((prefix) => [
      ...[`GET ${prefix}/my_profile`, `PATCH ${prefix}/my_profile`, `GET ${prefix}/get_user_list`],
      ...[`POST ${prefix}/block_user`, `POST ${prefix}/unblock_user`, `GET ${prefix}/get_blocked_users`],
    ]),
  ],
};

describe('the routes of the running service', () => {
  let running: RunningApp;
  /** Maps `METHOD /path` to the name of its declared guard, `everyone`, or undefined. */
  let guardOf: Map<string, string | undefined>;

  beforeAll(async () => {
    running = await startApp();
    guardOf = accessOfRoutes(running);
  });
  afterAll(() => running.stop());

  it('all come from controllers, except for preflights and the documents', () => {
    const served = running.routes.routes
      .filter(({ method, url }) => !(method === 'OPTIONS' && url === '*') && !documents.test(url))
      .filter(({ method, url }) => method !== 'HEAD' || !guardOf.has(`GET ${url}`))
      .map(({ method, url }) => `${method} ${url}`);
    expect(served.sort()).toEqual([...guardOf.keys()].sort());
    expect(served.length).toBeGreaterThan(20);
  });

  it('all declare who may call them', () => {
    expect([...guardOf].filter(([, access]) => access === undefined)).toEqual([]);
  });

  it('are open to everyone only if listed here', () => {
    const open = [...guardOf].filter(([, access]) => access === 'everyone').map(([route]) => route);
    expect(open.sort()).toEqual(openToEveryone);
  });

  it('require an app token, except for registration and tokens', () => {
    for (const [route, access] of guardOf) {
      if (access === 'everyone') continue;
      const expectedGuard = / \/api\/v2(\.1)?\/rest\//.test(route) ? 'QiscusServerGuard' : 'AgoraAppTokenGuard';
      const [exception] = Object.entries(guards).find(([, routes]) => routes.includes(route)) ?? [expectedGuard];
      expect(`${route} ${access}`).toBe(`${route} ${exception}`);
    }
  });

  it('accept an Idempotency-Key exactly when they change something', () => {
    const changing = [...guardOf.keys()].filter((route) =>
      route.startsWith('GET ') ? changingGets.test(route) : !notIdempotent.some((pattern) => pattern.test(route)),
    );
    expect([...idempotentRoutes(running)].sort()).toEqual(changing.sort());
  });

  it('accept HEAD where they accept GET, unless the GET changes something', () => {
    const served = running.routes.routes.map(({ method, url }) => `${method} ${url}`);
    const gets = [...guardOf.keys()].filter((route) => route.startsWith('GET '));
    const heads = gets.filter((route) => served.includes(route.replace('GET', 'HEAD')));
    expect(gets.filter((route) => !heads.includes(route))).toEqual(gets.filter((route) => changingGets.test(route)));
    expect(heads.length).toBeGreaterThan(20);
  });

  it('are the same with a trailing slash and with doubled slashes', async () => {
    const routes = running.routes.routes.filter(({ method, url }) => method !== 'HEAD' && !/\*$/.test(url));
    const filled = (url: string) =>
      url
        .replace(':org/:app', `${running.app.org}/${running.app.name}`)
        .replace(':appId', running.app.appId)
        .replace(/:\w+/g, 'nobody');
    for (const { method, url } of routes) {
      const path = filled(url);
      const answers: string[] = [];
      // Without a token, since whatever guards a route must guard all of its spellings.
      for (const spelling of [path, `${path}/`, `${path}//`, path.replaceAll('/', '//'), `${path}/?x=//`]) {
        const { status, body } = await rawCall(running.url, method, spelling);
        answers.push(`${status} ${body?.error_description ?? body?.error?.message ?? ''}`);
      }
      expect(`${method} ${url}: ${[...new Set(answers)].join(' or ')}`).toBe(`${method} ${url}: ${answers[0]}`);
      if (!documents.test(url)) expect(`${method} ${url}: ${answers[0]}`).not.toMatch(/: (404|405)/);
    }
    expect(routes.length).toBeGreaterThan(60);
  });

  it('serve the documents read-only', () => {
    const methods = running.routes.routes.filter(({ url }) => documents.test(url)).map(({ method }) => method);
    expect([...new Set(methods)].sort()).toEqual(['GET', 'HEAD']);
  });
});
