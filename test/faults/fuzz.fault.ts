import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { JwtService } from '@nestjs/jwt';
import fc from 'fast-check';
import { aBootstrapApp } from '../factories/app.factory.js';
import { longForm, runs, seed } from '../support/form.js';
import {
  canary,
  casesOf,
  type FuzzCase,
  type OpenApiDocument,
  type Operation,
  operationsOf,
  type World,
} from '../support/fuzz-cases.js';
import { violation } from '../support/json-schema.js';
import { RawConnection, type WireAnswer } from '../support/raw-connection.js';
import { removeLimits, ServiceProcess } from '../support/service-process.js';
import { createDatabase, type TestDatabase } from '../support/test-database.js';
import { tokenOf } from '../support/tokens.js';

const casesPerRoute = runs(400, 10_000);
const connections = 16;
const maxErrorBytes = 4_096;
/** The short form shares the machine with two other suites. */
const maxStallMs = runs(500, 250);
const tries = 3;
const maxAnswerMs = 20_000;

const identities = new JwtService({ signOptions: { algorithm: 'HS256' } });
const root = join(import.meta.dirname, '../..');
const document = JSON.parse(readFileSync(join(root, 'docs/api/openapi.json'), 'utf8')) as OpenApiDocument;
const { schemas } = document.components;
const operations = operationsOf(document).map((operation) => [titleOf(operation), operation] as const);

const app = aBootstrapApp({ alias: `fuzz${seed}` });
const names = Array.from({ length: 20 }, (_none, index) => `fuzzed-${index}`);

/** The other engine rejects other texts. */
const engines = longForm ? (['sqlite', 'mariadb'] as const) : (['sqlite'] as const);

describe.each(engines)('on %s, whatever is sent to a route, it answers as documented:', (engine) => {
  let database: TestDatabase;
  let service: ServiceProcess;
  const totals = { cases: 0, served: 0, stallMs: 0, longestError: 0 };

  beforeAll(async () => {
    database = await createDatabase(engine);
    const env = {
      ...{ DATABASE_URL: database.url, BOOTSTRAP_APPS: app.text, PASSWORD_COST: 'm=8,t=1,p=1' },
      ...{ TRUST_PROXY: '127.0.0.1', LOG_LEVEL: 'error' },
    };
    service = await ServiceProcess.start(env, [join(root, 'test/support/event-loop-delay.mjs')]);
    await removeLimits(app, env);
  }, 120_000);
  afterAll(async () => {
    const { cases, served, stallMs, longestError } = totals;
    console.log(
      `fuzz on ${engine}: ${operations.length} routes, ${cases} cases, ${served} of them served, longest error ${longestError} bytes, ` +
        `longest stall ${stallMs.toFixed(0)} ms, seed ${seed}`,
    );
    ServiceProcess.killAll();
    await database.drop();
  });

  it.each(operations)(
    '%s',
    async (_title, operation) => {
      const world = await prepare(service.url, operation);
      const cases = casesOf(operation, world, schemas);
      const settings = { seed, numRuns: casesPerRoute };
      const stallsMs: number[] = [];
      // A busy machine delays every process; a route that blocks would do so every time.
      while (stallsMs.length < tries && (stallsMs.at(-1) ?? Infinity) >= maxStallMs) {
        await service.ask('SIGUSR2');
        const { problems, served } = await run(fc.sample(cases, settings), operation);
        stallsMs.push(Number(await service.ask('SIGUSR2')));
        if (problems.length > 0) {
          const smallest = await shrunk(cases, settings, operation);
          throw new Error(`${problems.length} with seed ${seed}, among them\n${problems[0]}\n${smallest}`);
        }
        totals.served += served;
        expect(served).toBeGreaterThan(0);
      }
      const stallMs = Math.min(...stallsMs);
      totals.stallMs = Math.max(totals.stallMs, stallMs);
      expect(stallMs).toBeGreaterThan(0);
      expect(stallMs).toBeLessThan(maxStallMs);
      expect((await fetch(`${service.url}/health/live`)).status).toBe(200);
    },
    1_800_000,
  );

  async function run(cases: readonly FuzzCase[], operation: Operation) {
    const problems: string[] = [];
    let next = 0;
    let served = 0;
    const client = async (): Promise<void> => {
      const line = new Line(service.url);
      for (let index = next++; index < cases.length; index = next++) {
        const one = cases[index] as FuzzCase;
        const answer = await line.call(one);
        if (answer?.status === 200) served += 1;
        else totals.longestError = Math.max(totals.longestError, Buffer.byteLength(answer?.text ?? ''));
        const problem = problemOf(answer, operation);
        if (problem !== null) problems.push(`${problem}\n${describeCase(one)}`);
      }
      line.end();
    };
    await Promise.all(Array.from({ length: connections }, client));
    totals.cases += cases.length;
    return { problems, served };
  }

  /** The smallest failing case, found one request at a time. */
  async function shrunk(cases: fc.Arbitrary<FuzzCase>, settings: object, operation: Operation): Promise<string> {
    const line = new Line(service.url);
    const property = fc.asyncProperty(cases, async (one) => problemOf(await line.call(one), operation) === null);
    const { counterexample } = await fc.check(property, { ...settings, interruptAfterTimeLimit: 30_000 });
    line.end();
    return counterexample === null ? 'and none when sent one by one' : `smallest: ${describeCase(counterexample[0])}`;
  }
});

/** A client that keeps its connection as long as the service does. */
class Line {
  private connection: RawConnection | null = null;

  constructor(private readonly url: string) {}

  async call({ method, path, headers, body }: FuzzCase): Promise<WireAnswer | null> {
    if (this.connection === null || this.connection.closed) this.connection = await RawConnection.open(this.url);
    const lines = [
      `${method} ${path} HTTP/1.1`,
      'host: localhost',
      ...headers.map(([name, value]) => `${name}: ${value}`),
    ];
    if (body !== null) lines.push(`content-length: ${body.length}`);
    const head = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
    this.connection.send(body === null ? head : Buffer.concat([head, body]));
    const answer = await inTime(this.connection.answer());
    if (answer === null || answer.headers.get('connection') === 'close') this.end();
    return answer;
  }

  end(): void {
    this.connection?.end();
    this.connection = null;
  }
}

async function inTime(answer: Promise<WireAnswer | null>): Promise<WireAnswer | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => (timer = setTimeout(() => resolve(null), maxAnswerMs)));
  return Promise.race([answer, late]).finally(() => clearTimeout(timer));
}

/** What is wrong with an answer, or null. */
function problemOf(answer: WireAnswer | null, { responses }: Operation): string | null {
  if (answer === null) return 'no answer';
  const { status, headers, text } = answer;
  const excerpt = `${status} ${text.slice(0, 300)}`;
  if (status >= 500) return `an internal error: ${excerpt}`;
  if (text.includes(canary) || [...headers.values()].join().includes(canary)) return `it contains a secret: ${excerpt}`;
  if (text.includes(app.certificate)) return `it contains the certificate: ${excerpt}`;
  if (status >= 400 && Buffer.byteLength(text) > maxErrorBytes)
    return `an error of ${Buffer.byteLength(text)} bytes: ${excerpt}`;
  // What the service refuses before it knows the route looks the same everywhere.
  const response = responses[status] ?? responses[`${Math.floor(status / 100)}XX`];
  if (response === undefined) return `an undocumented status: ${excerpt}`;
  const [type = '', ...others] = Object.keys(response.content ?? {});
  const schema = response.content?.[type]?.schema;
  if (schema === undefined || others.length > 0) return `the document has no schema: ${excerpt}`;
  if (!headers.get('content-type')?.startsWith(type)) return `not ${type}: ${excerpt}`;
  if (type === 'text/plain') return null;
  const problem = violation(schema, JSON.parse(text), schemas);
  return problem === null ? null : `not as documented: ${problem}: ${excerpt}`;
}

function describeCase({ kind, method, path, headers, body }: FuzzCase): string {
  return `(${kind}) ${method} ${path.slice(0, 200)} ${JSON.stringify(headers.map(([name, value]) => [name, value.slice(0, 30)]))} ${Buffer.from(
    body ?? [],
  )
    .toString()
    .slice(0, 400)}`;
}

function titleOf({ method, paths }: Operation): string {
  return `${method} ${paths[0]}`;
}

/** Users, groups and tokens in their original state: earlier calls may have removed them. */
async function prepare(url: string, operation: Operation): Promise<World> {
  const base = `${url}/${app.org}/${app.name}`;
  const appToken = tokenOf(app);
  const send = (method: string, to: string, body?: unknown): Promise<Response> =>
    fetch(to, {
      method,
      headers: {
        ...{ authorization: `Bearer ${appToken}`, 'qiscus-sdk-app-id': app.appId },
        ...{ 'qiscus-sdk-secret': app.certificate, 'x-forwarded-for': `10.${Math.floor(Math.random() * 255)}.0.1` },
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  const call = async (method: string, to: string, body?: unknown): Promise<any> =>
    (await send(method, to, body)).json();
  const password = 'right-password';
  await call(
    'POST',
    `${base}/users`,
    names.map((username) => ({ username, password })),
  );
  await call('POST', `${url}/api/v2.1/rest/reactivate_users`, { user_ids: names });
  const created = await Promise.all([
    call('POST', `${base}/chatgroups`, { groupname: 'g', owner: names[0], members: names.slice(1, 16) }),
    call('POST', `${base}/chatrooms`, { name: 'r', owner: names[0], members: names.slice(1, 16) }),
  ]);
  for (const path of [`chatgroups/${created[0].data.groupid}`, `chatrooms/${created[1].data.id}`]) {
    await call('POST', `${base}/${path}/blocks/users/${names[4]}`);
    for (const newadmin of names.slice(5, 16)) await call('POST', `${base}/${path}/admin`, { newadmin });
    await call('POST', `${base}/${path}/mute`, { usernames: [names[3]], mute_duration: -1 });
  }
  if (titleOf(operation).includes('/contacts/'))
    for (const username of names.slice(0, 4))
      await Promise.all(
        names.slice(4).map((friend) => call('POST', `${base}/users/${username}/contacts/users/${friend}`)),
      );
  const sent = await call('POST', `${base}/messages/users`, {
    to: names.slice(0, 3),
    type: 'txt',
    body: { msg: 'hi' },
  });
  const email = names[0] as string;
  await call('PUT', `${base}/users/${email}/password`, { newpassword: password });
  const login = await call('POST', `${url}/api/v2/sdk/login_or_register`, { email, password });
  const { token, refresh_token: refreshToken } = login.results.user;
  const userToken = await call('POST', `${base}/token`, { grant_type: 'inherit', username: names[1] });
  /** Operations that the route may be called for, each of which can be undone or cancelled once. */
  const operationIds = async (title: string): Promise<string[]> => {
    if (title.endsWith('/undo'))
      return Promise.all(
        names.map(async (username) => {
          const changed = await send('PUT', `${base}/users/${username}`, { nickname: randomUUID() });
          return changed.headers.get('x-operation-id') as string;
        }),
      );
    const many = title.endsWith('/cancel') ? Array.from({ length: 300 }, (_none, index) => `many-${index}`) : names;
    for (let start = 0; start < many.length; start += 60)
      await call(
        'POST',
        `${base}/users`,
        many.slice(start, start + 60).map((username) => ({ username, password })),
      );
    return [(await call('POST', `${base}/operations`, { action: 'ban', usernames: many })).data.id];
  };
  return {
    ...{ org: [app.org], app: [app.name], appId: [app.appId], id: [created[0].data.groupid, created[1].data.id] },
    ...{ newowner: names, newadmin: names, superadmin: names, version: ['v3'], pagenum: ['1'], pagesize: ['2'] },
    ...{
      username: names,
      usernames: names,
      owner: names,
      members: names,
      to: names,
      target: names,
      from: names,
      targets: names,
    },
    ...{
      friend: names,
      check_list: names,
      user_id: names,
      user_ids: names,
      user_email: names,
      email: names,
      room_channel_ids: names,
      query: ['fuzz', '-1'],
      messageId: Object.values<string>(sent.data),
    },
    ...{ properties: ['nickname', 'ext'], expiry: ['600', '2592000'], status: ['0', '1', 'busy'] },
    ...{ app_key: [`${app.org}#${app.name}`], app_id: [app.appId], pageNum: ['1', '2'], pageSize: ['500'] },
    ...{ client_id: [app.appId], client_secret: [app.certificate], password: [password], resource: ['web_1'] },
    ...{ refresh_token: [refreshToken], 'qiscus-sdk-token': [token], ttl: ['0', '60'], detail: ['1'] },
    ...{ 'qiscus-sdk-app-id': [app.appId], 'qiscus-sdk-secret': [app.certificate] },
    ...{
      operationId: titleOf(operation).includes('/operations') ? await operationIds(titleOf(operation)) : [],
      outcome: ['failed', 'changed'],
      action: ['ban', 'unban'],
      duration: ['7d', 'PT1H'],
    },
    authorization: [`Bearer ${appToken}`, `Bearer ${userToken.access_token}`],
    // Where these mean something else than in a message or an operation.
    ...(titleOf(operation).endsWith('/audit')
      ? { action: ['user.ban'], actor: ['app_token'], from: ['0'], to: ['4638873600000'] }
      : {}),
    identity_token: await Promise.all(Array.from({ length: 10 }, () => identityToken(call, url))),
    order_query: ['created_at desc nulls last', 'email asc'],
  };
}

/** What an app server signs for its user's client: each is valid once. */
async function identityToken(call: (method: string, to: string) => Promise<any>, url: string): Promise<string> {
  const { nonce } = (await call('POST', `${url}/api/v2/sdk/auth/nonce`)).results;
  const exp = Math.floor(Date.now() / 1_000) + 600;
  return identities.sign({ iss: app.appId, prn: names[2], nce: nonce, exp }, { secret: app.certificate });
}
