import 'reflect-metadata';
import type { AddressInfo } from 'node:net';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { pino } from 'pino';
import request, { type Response, type Test } from 'supertest';
import { createHttpApplication } from '../../src/http-application.js';
import type { RouteTable } from '../../src/http/route-table.js';
import type { App } from '../../src/apps/app.js';
import { AppsService } from '../../src/apps/apps.service.js';
import { TokensService } from '../../src/auth/tokens.service.js';
import { Clock } from '../../src/clock/clock.js';
import { RetentionClock } from '../../src/retention/retention-clock.js';
import { loadEnv } from '../../src/config/env.js';
import { IdLease } from '../../src/ids/id-lease.js';
import { TimeOrderedIds } from '../../src/ids/time-ordered-ids.js';
import { aBootstrapApp } from '../factories/app.factory.js';
import type { FixedClock } from './fixed-clock.js';
import { createDatabase, neededUrl, onAnotherNode, longDatabaseTimeouts, type TestDatabase } from './test-database.js';
import { recordUncoveredSql } from './uncovered-sql.js';

export interface StartOptions {
  /** Settings of the environment besides those that name the engine. */
  readonly env?: Readonly<Record<string, string>>;
  /** Replaces the service's clock once it has started. */
  readonly clock?: FixedClock;
  /** Settings of the app; without `rate_profile` it has no limits. */
  readonly settings?: Readonly<Record<string, string>>;
  /** A database shared with another service; otherwise it has its own, which `stop` drops. */
  readonly database?: TestDatabase;
}

export interface CallOptions {
  /** Sent as JSON; a string is sent as it is. */
  readonly body?: unknown;
  /** null: no Authorization header. By default, the app token. */
  readonly token?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
}

export type Method = 'get' | 'post' | 'put' | 'delete' | 'patch' | 'options' | 'head';

export interface RunningApp {
  readonly url: string;
  readonly nest: NestFastifyApplication;
  readonly routes: RouteTable;
  /** Created at the start, with known credentials. */
  readonly app: App;
  readonly token: string;
  readonly database: TestDatabase;
  /** `/org/app` */
  readonly path: string;
  /** A call of a path below `/org/app`, or of an absolute one that begins with `//`, with the app token. */
  call(method: Method, path: string, options?: CallOptions): Test;
  /** Registers one user and returns its entity. */
  register(username: string, more?: Readonly<Record<string, unknown>>): Promise<Record<string, any>>;
  stop(): Promise<void>;
}

/** The real service on a free port, on the engines of the jest project. */
export async function startApp(options: StartOptions = {}): Promise<RunningApp> {
  const database = options.database ? onAnotherNode(options.database) : await createDatabase();
  const credentials = aBootstrapApp();
  const env = loadEnv({
    PORT: '0',
    DATABASE_URL: database.url,
    ...(globalThis.rollcallRedis ? { REDIS_URL: neededUrl('TEST_REDIS_URL') } : {}),
    // The cheapest parameters of argon2: hashing is the subject of few tests.
    PASSWORD_COST: 'm=8,t=1,p=1',
    // Hashes this cheap wait for turns of the event loop that the tests share, not for CPU.
    PASSWORD_CONCURRENCY: '16',
    ...longDatabaseTimeouts,
    BOOTSTRAP_APPS: credentials.text,
    ...options.env,
  });
  const { app: nest, routes } = await createHttpApplication(env, pino({ level: 'error' }));
  if (options.clock !== undefined) {
    replaceClock(nest.get(Clock), options.clock);
    keepNodeNumber(nest);
    await moveWithClock(nest);
  }
  const apps = nest.get(AppsService);
  await apps.bootstrap();
  let app = (await apps.find(credentials.org, credentials.name)) as App;
  for (const [key, value] of Object.entries({ rate_profile: 'off', ...options.settings }))
    app = await apps.set(app, key, value);
  await nest.listen(0, '127.0.0.1');
  const { port } = nest.getHttpServer().address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const token = nest.get(TokensService).issueAppToken(app, 0).accessToken;
  const path = `/${app.org}/${app.name}`;

  const call: RunningApp['call'] = (method, target, { body, token: shown = token, headers = {} } = {}) => {
    const test = request(url)[method](target.startsWith('//') ? target.slice(1) : `${path}${target}`);
    if (shown !== null) test.set('authorization', `Bearer ${shown}`);
    if (body !== undefined) test.type('json').send(typeof body === 'string' ? body : JSON.stringify(body));
    return test.set(headers);
  };
  return {
    ...{ url, nest, routes, app, token, database, path, call },
    async register(username, more = {}) {
      const response = await call('post', '/users', { body: { username, password: 'secret', ...more } });
      if (response.status !== 200) throw new Error(`registration of ${username} failed: ${response.text}`);
      return (response.body as { entities: Record<string, any>[] }).entities[0] as Record<string, any>;
    },
    async stop() {
      await nest.close();
      recordUncoveredSql();
      if (options.database === undefined) await database.drop();
    },
  };
}

function replaceClock(clock: Clock, fixed: FixedClock): void {
  clock.now = () => fixed.now();
  clock.monotonic = () => fixed.monotonic();
}

/** When a test moves the clock, it skips the time that ids were reserved for. */
function keepNodeNumber(nest: NestFastifyApplication): void {
  const lease = nest.get(IdLease);
  lease.stop();
  nest.get(TimeOrderedIds).use({ node: lease.node as number, fromMs: 0, untilMs: Infinity });
}

/** The same when a test sets the clock at the start. */
async function moveWithClock(nest: NestFastifyApplication): Promise<void> {
  const retention = nest.get(RetentionClock);
  retention.stop();
  await retention.trust();
}

export type { Response };
