import { randomBytes } from 'node:crypto';
import request from 'supertest';
import { exampleMessageId } from '../../src/api/agora/agora-examples.js';
import type { App } from '../../src/apps/app.js';
import { AppsService } from '../../src/apps/apps.service.js';
import { TokensService } from '../../src/auth/tokens.service.js';
import { type RunningApp, startApp } from '../support/start-app.js';
import { accessToken2 } from '../support/tokens.js';

/** The routes that have an example in the vendors' documents of their user systems. */
const agoraRoutes = [
  ...['POST users', 'GET users/{username}', 'GET users', 'DELETE users/{username}', 'DELETE users'],
  ...['PUT users/{username}/password', 'POST users/{username}/deactivate', 'POST users/{username}/activate'],
  ...['GET users/{username}/disconnect', 'GET users/{username}/status', 'POST users/batch/status'],
  ...['GET users/{username}/offline_msg_count', 'GET users/{username}/offline_msg_status/{messageId}'],
];
const qiscusRoutes = [
  ...['POST login_or_register', 'GET user_profile', 'POST reset_user_token', 'GET get_user_list'],
  ...['GET get_unread_users', 'GET get_user_unread_count'],
];
const withExamples = [
  ...agoraRoutes.map((route) => route.replace(' ', ' /{org}/{app}/')),
  ...qiscusRoutes.map((route) => route.replace(' ', ' /api/v2.1/rest/')),
];

interface Example {
  readonly route: string;
  readonly name: string;
  readonly parameters: readonly { readonly name: string; readonly in: string; readonly example?: unknown }[];
  readonly body: unknown;
  readonly answer: unknown;
}

/** An example has the same name in the request and the answer; a single one has no name. */
function examplesOf(route: string, { parameters, requestBody, responses }: any): Example[] {
  const body = requestBody?.content['application/json'] ?? {};
  const answer = responses['200'].content?.['application/json'] ?? {};
  const names = Object.keys(answer.examples ?? body.examples ?? (answer.example === undefined ? {} : { only: null }));
  const named = (media: any, name: string): unknown => media.examples?.[name].value ?? media.example;
  return names.map((name) => ({ route, name, parameters, body: named(body, name), answer: named(answer, name) }));
}

/** The members of a value in order, and the types of those that vary. */
function shapeOf(value: unknown, name = ''): unknown {
  if (Array.isArray(value)) return value.map((item) => shapeOf(item));
  if (typeof value === 'object' && value !== null)
    return Object.entries(value).map(([member, of]) => [member, shapeOf(of, member)]);
  return ['action', 'path', 'status'].includes(name) ? value : typeof value;
}

describe('the examples in the API document', () => {
  let running: RunningApp;
  let operations: [string, any][];

  beforeAll(async () => {
    running = await startApp();
    const { paths } = (await request(running.url).get('/docs/openapi.json')).body;
    operations = Object.entries<Record<string, any>>(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]): [string, any] => [
        `${method.toUpperCase()} ${path}`,
        operation,
      ]),
    );
  });
  afterAll(() => running.stop());

  it('exist for each route that the vendors document with an example', () => {
    const shown = operations.filter((operation) => examplesOf(...operation).length > 0).map(([route]) => route);
    expect(shown).toEqual(expect.arrayContaining(withExamples));
  });

  it('200 with the members of the example, in its order and with its types', async () => {
    for (const example of operations.flatMap((operation) => examplesOf(...operation))) {
      const { route, name } = example;
      const { status, text, expected } = await send(example);
      expect({ route, name, status, text }).toMatchObject({ status: 200 });
      expect({ route, name, answer: shapeOf(JSON.parse(text)) }).toEqual({ route, name, answer: shapeOf(expected) });
    }
  });

  /** Sends an example to a new app that is set up the way the example assumes. */
  async function send({ route, name, parameters, body, answer }: Example) {
    const [method = '', pattern = ''] = route.split(' ');
    const app = await createApp(body);
    const messageId = await fill(app, route);
    const values = Object.fromEntries(parameters.map((one) => [one.name, one.example]));
    const known: Record<string, unknown> = { ...values, org: app.org, app: app.name };
    if ('messageId' in values) known['messageId'] = messageId;
    const path = pattern.replace(/\{(\w+)\}/g, (_, parameter: string) => String(known[parameter]));
    const inQuery = parameters.filter((one) => one.in === 'query' && one.example !== undefined);
    const query = inQuery.flatMap((one): [string, string][] =>
      Array.isArray(one.example)
        ? one.example.map((item) => [`${one.name}[]`, String(item)])
        : [[one.name, String(one.example)]],
    );
    const search = query.length === 0 ? '' : `?${new URLSearchParams(query).toString()}`;
    const token = name.includes('007') ? accessToken2(app, 'user1') : undefined;
    const response = await fetch(`${running.url}${path}${search}`, {
      method,
      headers: credentialsOf(app, pattern, token),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const expected = JSON.parse(JSON.stringify(answer).replaceAll(exampleMessageId, messageId)) as unknown;
    return { status: response.status, text: await response.text(), expected };
  }

  /** With the credentials of the example, if it has any. */
  async function createApp(body: unknown): Promise<App> {
    const { client_id: appId, client_secret: certificate } = (body ?? {}) as Record<string, string | undefined>;
    const shown = appId === undefined || certificate === undefined ? {} : { appId, certificate };
    const org = `examples${randomBytes(4).toString('hex')}`;
    return running.nest.get(AppsService).create({ org, name: 'examples', ...shown });
  }

  function credentialsOf(app: App, path: string, token?: string): Record<string, string> {
    if (path.startsWith('/api/'))
      return { 'qiscus-sdk-app-id': app.appId, 'qiscus-sdk-secret': app.certificates[0] as string };
    return { authorization: `Bearer ${token ?? running.nest.get(TokensService).issueAppToken(app).accessToken}` };
  }

  /** Registers the users of the example except those it registers itself, and leaves a message for the first one. */
  async function fill(app: App, route: string): Promise<string> {
    const post = async (path: string, body: object) => {
      const sent = request(running.url).post(path).set(credentialsOf(app, path)).send(body);
      return (await sent.expect(200)).body;
    };
    const isQiscus = route.includes(' /api/');
    const names = [1, 2, 3].map((number) => (isQiscus ? `guest${number}@example.com` : `user${number}`));
    const guest = { password: '123', extras: { team: 'red' } };
    const account = { password: '123', ...(route.endsWith('/token') ? {} : { nickname: 'testuser' }) };
    for (const username of route === 'POST /{org}/{app}/users' ? names.slice(2) : names)
      if (isQiscus) await post('/api/v2.1/rest/login_or_register', { user_id: username, username, ...guest });
      else await post(`/${app.org}/${app.name}/users`, { username, ...account });
    if (route.startsWith('GET') && route.endsWith('/notes'))
      await post(`/${app.org}/${app.name}/users/user1/notes`, { text: 'A note', author: 'joe' });
    const [to = ''] = names;
    const message = { from: 'somebody', to: [to], type: 'txt', body: { msg: 'Hello' } };
    return (await post(`/${app.org}/${app.name}/messages/users`, message)).data[to] as string;
  }
});
