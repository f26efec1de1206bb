import { randomBytes, randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { Agent } from 'node:http';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { DataSource } from 'typeorm';
import { loadEnv } from '../../src/config/env.js';
import { dataSourceOptions } from '../../src/data-source.js';
import { aBootstrapApp } from '../factories/app.factory.js';
import { inTurns } from '../support/cluster.js';
import { GatewayClient, refusal } from '../support/gateway-client.js';
import { type RawAnswer, rawCall } from '../support/raw-call.js';
import { guardedRoutes } from '../support/route-access.js';
import { callsOf, type RouteCall } from '../support/route-calls.js';
import { ServiceProcess } from '../support/service-process.js';
import { startApp } from '../support/start-app.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { Tenant } from '../support/tenant.js';
import { createDatabase, type TestDatabase } from '../support/test-database.js';

/** Routes that exist under another prefix as well. */
const sameHandler = /^HEAD| \/app-id\/| \/api\/v2\/(?!sdk\/)/;
/** Members and headers that carry a secret. */
const secretMembers = [
  'password',
  'newpassword',
  'client_secret',
  'token',
  'access_token',
  'refresh_token',
  'identity_token',
];
const secretHeaders = [
  'cookie',
  'x-api-key',
  'proxy-authorization',
  'qiscus-sdk-secret',
  'qiscus-sdk-token',
  'qiscus_sdk_token',
];

/**
 * What users write to each other, their names and ban reasons are content rather than secrets, and are stored as they
 * are. They must not be logged either, so that is checked as well.
 */
describe.each(['sqlite', 'mariadb'] as const)('secrets, on %s', (engine) => {
  const agent = new Agent({ keepAlive: true });
  const credentials = aBootstrapApp();
  /** Presented wherever a secret can be presented, and never valid. */
  const wrongSecrets = Array.from({ length: 3 }, () => `wrong-${randomBytes(15).toString('hex')}`);
  const metricsToken = `metrics-${randomBytes(15).toString('hex')}`;
  let schema: TestDatabase;
  let proxy: TcpProxy | null = null;
  let source: DataSource;
  let service: ServiceProcess;
  let tenant: Tenant;
  let routes: { route: string; access: string }[];
  const answers: RawAnswer[] = [];
  const given: string[] = [];

  beforeAll(async () => {
    const listed = await startApp({ env: { DATABASE_URL: 'sqlite::memory:' } });
    routes = guardedRoutes(listed).filter(({ route }) => !sameHandler.test(route));
    await listed.stop();
    schema = await createDatabase(engine);
    if (engine === 'mariadb') proxy = await TcpProxy.to(schema.url);
    service = await ServiceProcess.start({
      DATABASE_URL: proxy?.through(schema.url) ?? schema.url,
      ...(engine === 'mariadb' ? { REDIS_URL: process.env['TEST_REDIS_URL'] as string } : {}),
      ...{ LOG_LEVEL: 'trace', METRICS_TOKEN: metricsToken, BOOTSTRAP_APPS: credentials.text },
      ...{ PASSWORD_COST: 'm=8,t=1,p=1', DATABASE_STATEMENT_TIMEOUT_MS: '800', DATABASE_ACQUIRE_TIMEOUT_MS: '500' },
    });
    source = new DataSource(dataSourceOptions(loadEnv({ DATABASE_URL: schema.url })));
    await source.initialize();
    tenant = await Tenant.build(service.url, credentials);
  }, 120_000);
  afterAll(async () => {
    agent.destroy();
    await service.kill();
    ServiceProcess.killAll();
    await source.destroy();
    proxy?.cut();
    await proxy?.close();
    await schema.drop();
  });

  /** Every secret that the service was ever shown, or that it issued. */
  const secrets = (): string[] => {
    const { ids, appToken, userJwt, ended, appAccessToken2 } = tenant;
    const tokens = [
      ...given,
      appToken,
      userJwt,
      ids.identityToken,
      ended.userJwt,
      ended.bannedJwt,
      ids.userAccessToken2,
      appAccessToken2,
    ];
    return [
      ...[ids.password, ended.password, ids.certificate, ids.userToken, ended.userToken, ended.bannedToken],
      ...[ids.refreshToken, ended.refreshToken, metricsToken, new URL(schema.url, 'mysql://-').password],
      // A part of a token is too much already.
      ...[...tokens, ...tokens.map((token) => token.split('.').at(-1) as string)],
      ...wrongSecrets,
      ...wrongSecrets.map((secret) => Buffer.from(`user:${secret}`).toString('base64')),
    ].filter((secret) => secret.length >= 8);
  };
  const seenIn = (where: string): string[] => secrets().filter((secret) => where.includes(secret));

  const send = async ({ method, path, headers, body }: RouteCall): Promise<void> => {
    answers.push(
      await rawCall(service.url, method, path, {
        ...{ agent, body },
        headers: { 'idempotency-key': randomUUID(), ...headers },
      }),
    );
  };
  const calls = (): RouteCall[] =>
    routes.flatMap(({ route, access }) =>
      callsOf(route, credentials, tenant.ids).map((call) => ({
        ...call,
        headers: { ...tenant.shown(access), ...call.headers },
      })),
    );
  /** Including what users write. */
  const changes = (): RouteCall[] => [
    ...calls().filter(({ method }) => method === 'POST' || method === 'PUT'),
    {
      ...{ method: 'POST', path: `${tenant.path}/messages/users`, headers: tenant.shown('AgoraAppTokenGuard') },
      body: JSON.stringify({ to: [tenant.ids.username], type: 'txt', body: { msg: tenant.canary } }),
    },
  ];
  /** The user's, whatever earlier calls have revoked. */
  const freshToken = async (): Promise<string> => {
    const { username } = tenant.names;
    await tenant.call('POST', `/users/${username}/activate`);
    const grant = await tenant.call('POST', '/token', { grant_type: 'inherit', username });
    given.push(grant.access_token as string);
    return grant.access_token as string;
  };
  const [secret = '', second = '', third = ''] = wrongSecrets;
  const inQuery = new URLSearchParams(secretMembers.map((name): [string, string] => [name, secret])).toString();
  const withQuery = (path: string): string => `${path}${path.includes('?') ? '&' : '?'}${inQuery}`;

  /** Wrong calls of a route, with a secret in every possible place. */
  function wrongCallsOf({ method, path, headers, body }: RouteCall): RouteCall[] {
    const members = (value: unknown): object => Object.fromEntries(secretMembers.map((name) => [name, value]));
    const asText = JSON.stringify({ username: 'somebody', grant_type: 'password', ...members(second) });
    const bodies = [
      asText.slice(0, -1),
      `${asText}${asText}`,
      asText.replace('"somebody"', secret),
      JSON.stringify({ username: 'somebody', grant_type: 'client_credentials', ...members([second]) }),
      JSON.stringify({ username: { secret }, email: 'somebody', user_id: 'somebody', ...members({ second }) }),
      JSON.stringify([1, 2].map((index) => ({ username: 'twice', password: `${second}${index}` }))),
      JSON.stringify({ username: 'somebody', email: 'somebody', ...members(second.repeat(10)) }),
      JSON.stringify({
        username: 'somebody',
        email: tenant.ids.username,
        user_id: tenant.ids.username,
        ...members(second),
      }),
      `${secretMembers.map((name) => `${name}=${second}`).join('&')}&%`,
    ];
    // Callers name attributes freely: there, a secret would be content.
    const isContent = method === 'PUT' && path.includes('/metadata/user/');
    const basic = `Basic ${Buffer.from(`user:${secret}`).toString('base64')}`;
    const shown = Object.fromEntries(secretHeaders.map((name) => [name, third]));
    return [
      ...(method === 'GET' || isContent ? [] : bodies.map((wrong) => ({ method, path, headers, body: wrong }))),
      { method, path: withQuery(path), headers, ...(body === undefined ? {} : { body }) },
      ...[basic, `Bearer ${third}`, third].map((authorization) => ({
        method,
        path,
        headers: { ...shown, authorization },
      })),
      { method: 'PATCH', path: withQuery(path), headers, body: asText },
    ];
  }

  it('are in no error and in no URL of an answer, however a route is called', async () => {
    for (const call of calls().filter(({ method }) => method === 'GET')) await send(call);
    // Those that delete come last.
    for (const call of calls().filter(({ method }) => method !== 'DELETE'))
      for (const wrong of wrongCallsOf(call)) await send(wrong);
    const misplaced = { authorization: `Bearer ${third}`, cookie: third };
    await send({ method: 'GET', path: withQuery('/nothing'), headers: misplaced });
    await send({ method: 'GET', path: withQuery('/no/app/users'), headers: misplaced });
    await send({
      method: 'POST',
      path: `${tenant.path}/users`,
      headers: misplaced,
      body: JSON.stringify({ password: secret.repeat(3_000) }),
    });
    for (const request of [
      `GET /${secret} HTTP/9.9\r\n\r\n`,
      `${third}\r\n\r\n`,
      `GET / HTTP/1.1\r\n${secret}\r\n\r\n`,
    ]) {
      const socket = connect(Number(new URL(service.url).port), '127.0.0.1');
      socket.write(request);
      answers.push({ status: 400, headers: {}, body: undefined, text: await text(socket) });
    }
    const errors = answers.filter(({ status }) => status >= 400);
    const statuses = [...new Set(errors.map(({ status }) => status))].sort();
    console.log(`${engine}: ${answers.length} answers, ${errors.length} errors: ${statuses.join(', ')}`);
    expect(statuses).toEqual(expect.arrayContaining([400, 401, 404, 405, 413]));
    expect(errors.flatMap(({ text, headers }) => seenIn(text + JSON.stringify(headers)))).toEqual([]);
    const urls = answers.flatMap(
      ({ text, headers }) => (JSON.stringify(headers) + text).match(/(https?|wss?):[^"\s]+/g) ?? [],
    );
    expect(urls.length).toBeGreaterThan(50);
    expect(seenIn(urls.join('\n'))).toEqual([]);
  }, 120_000);

  it('are in no frame of the gateway, and no answer to a refused upgrade', async () => {
    const { ids, userJwt, names } = tenant;
    const fresh = await freshToken();
    const url = `${service.url}${tenant.path}/ws`;
    const received: object[] = [];
    for (const token of [third, `${userJwt}x`, tenant.ended.userJwt, tenant.ended.bannedToken, tenant.appToken]) {
      received.push((await refusal(`${url}?${inQuery}`, { authorization: `Bearer ${token}` })).body as object);
      const login = { type: 'login', token };
      for (const frame of [
        JSON.stringify(login),
        JSON.stringify(login).slice(0, -1),
        JSON.stringify({ ...login, device: token }),
      ]) {
        const client = await GatewayClient.connect(service.url, tenant.path, { cookie: third });
        client.socket.send(frame);
        received.push(await client.next());
        await client.close();
      }
    }
    const kicked = await GatewayClient.login(service.url, tenant.path, fresh, { platform: 'ios', device: 'kicked' });
    kicked.send({ type: 'login', token: ids.userToken });
    kicked.send({ type: secret, token: ids.userToken });
    kicked.send({ type: 'send', ref: second.repeat(50), to: { token: third }, body: third });
    await tenant.call('DELETE', `/users/${names.username}/disconnect/ios_kicked`);
    await kicked.closed;
    const types = kicked.frames.map(({ type }) => type).filter((type) => type !== 'message');
    expect(types).toEqual(['ready', 'error', 'error', 'error', 'kicked']);
    expect(seenIn(JSON.stringify([received, kicked.frames]))).toEqual([]);
  });

  it('are in no answer while the database fails', async () => {
    const first = answers.length;
    const token = await freshToken();
    const session = await GatewayClient.login(service.url, tenant.path, token);
    for (const table of ['users', 'user_profiles', 'messages', 'used_nonces', 'chat_groups']) {
      await source.query(`ALTER TABLE ${table} RENAME TO ${table}_away`);
      await inTurns(changes(), 8, send);
      session.send({ type: 'send', to: tenant.names.username, body: { msg: tenant.canary } });
      const upgraded = GatewayClient.connect(service.url, tenant.path, { authorization: `Bearer ${token}` });
      await upgraded.then((client) => client.close()).catch(() => undefined);
      const client = await GatewayClient.connect(service.url, tenant.path);
      client.send({ type: 'login', token });
      await client.next();
      await client.close();
      await source.query(`ALTER TABLE ${table}_away RENAME TO ${table}`);
    }
    if (proxy !== null) {
      // Cached for a second: then calls get as far as their own statements.
      await tenant.call('GET', '/users');
      proxy.hold();
      // Each waits for a timeout.
      await inTurns(changes(), 32, send);
      proxy.heal();
      for (let time = 0; time < 5; time += 1) {
        await Promise.all([inTurns(changes(), 8, send), sleep(20).then(() => proxy?.cut())]);
      }
      proxy.refuse();
      await inTurns(changes(), 8, send);
      proxy.heal();
    }
    const failed = answers.slice(first).filter(({ status }) => status >= 500);
    const statuses = new Set(failed.map(({ status }) => status));
    console.log(`${engine}: ${failed.length} answers of a broken database: ${[...statuses].sort().join(', ')}`);
    expect([...statuses]).toEqual(expect.arrayContaining(engine === 'mariadb' ? [500, 503] : [500]));
    expect(failed.flatMap((answer) => seenIn(answer.text + JSON.stringify(answer.headers)))).toEqual([]);
  }, 120_000);

  it('are in no metric, no log line, and no column but the certificate of the app', async () => {
    const first = answers.length;
    const before = await columns();
    for (const call of calls()) await send(call);
    for (const call of calls().filter(({ method }) => method === 'DELETE'))
      for (const wrong of wrongCallsOf(call)) await send(wrong);
    const errors = answers.slice(first).filter(({ status }) => status >= 400);
    expect(errors.flatMap((answer) => seenIn(answer.text + JSON.stringify(answer.headers)))).toEqual([]);
    const metrics = await rawCall(service.url, 'GET', '/metrics', { token: metricsToken });
    expect(metrics.text).toContain('rollcall_http_requests_total');
    expect([...seenIn(metrics.text), ...contentIn(metrics.text)]).toEqual([]);
    const kept = [...before, ...(await columns())];
    await tenant.close();
    await service.stop();

    const { output } = service;
    // It did log each failure, at its most verbose level.
    for (const line of [
      'a request failed with an internal error',
      'a login failed because of an internal error',
      '"level":"debug"',
    ])
      expect({ line, written: output.includes(line) }).toEqual({ line, written: true });
    console.log(`${engine}: ${output.length} characters of log, ${kept.length} values in columns`);
    expect([...seenIn(output), ...contentIn(output)]).toEqual([]);
    // Neither what is derived from secrets, nor what tokens are derived from.
    expect(/\$argon2.{0,20}/.exec(output)?.[0]).toBeUndefined();
    for (const { column, value } of kept.filter((one) => /hash|secret/.test(one.column)))
      expect({ column, told: output.includes(value) }).toEqual({ column, told: false });

    const inClear = kept.flatMap(({ column, value }) => seenIn(value).map(() => column));
    expect([...new Set(inClear)]).toEqual(['apps.certificate']);
    for (const { column, value } of kept) {
      if (column === 'users.password_hash') expect(value).toMatch(/^\$argon2id\$v=19\$m=8,/);
      if (column === 'user_profiles.token_hash') expect(value).toMatch(/^[\w-]{43}$/);
    }
    expect(await inFiles()).toEqual(engine === 'sqlite' ? [credentials.certificate] : []);
  }, 120_000);

  it('are not in the messages of a failing start', async () => {
    const app = aBootstrapApp();
    await source.query('ALTER TABLE apps RENAME COLUMN disabled TO switched_off');
    const start = ServiceProcess.start({ DATABASE_URL: schema.url, BOOTSTRAP_APPS: app.text, LOG_LEVEL: 'trace' });
    const printed = await start.then(
      () => 'it started',
      (error: unknown) => String(error),
    );
    expect({ ended: printed.includes('it ended with 1'), why: /disabled/.test(printed) }).toEqual({
      ended: true,
      why: true,
    });
    expect([...seenIn(printed), ...[app.certificate].filter((secret) => printed.includes(secret))]).toEqual([]);
    expect(/'[0-9a-f]{64}'/.exec(printed)?.[0]).toBeUndefined();
  }, 60_000);

  /** Texts from users and app servers that must not appear in a log. */
  function contentIn(where: string): string[] {
    return [tenant.canary].filter((content) => where.includes(content));
  }

  /** Every value of every column. */
  async function columns(): Promise<{ column: string; value: string }[]> {
    const found: { column: string; value: string }[] = [];
    const tables: { name: string }[] = await source.query(
      engine === 'sqlite'
        ? "SELECT name FROM sqlite_master WHERE type = 'table'"
        : 'SELECT table_name AS name FROM information_schema.tables WHERE table_schema = DATABASE()',
    );
    for (const { name } of tables)
      for (const row of await source.query<Record<string, unknown>[]>(`SELECT * FROM ${name}`))
        for (const [column, value] of Object.entries(row))
          if (value !== null) found.push({ column: `${name}.${column}`, value: `${value as string | number}` });
    return found;
  }

  /** Secrets in the SQLite files, where deleted rows leave their bytes. */
  async function inFiles(): Promise<string[]> {
    if (engine !== 'sqlite') return [];
    const folder = dirname(schema.url.slice('sqlite:'.length));
    const files = await Promise.all((await readdir(folder)).map((file) => readFile(join(folder, file), 'latin1')));
    return [...new Set(seenIn(files.join('\n')))];
  }
});
