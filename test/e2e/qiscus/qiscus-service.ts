import { randomBytes } from 'node:crypto';
import request, { type Test } from 'supertest';
import type { App } from '../../../src/apps/app.js';
import { AppsService } from '../../../src/apps/apps.service.js';
import { type Method, type RunningApp, startApp, type StartOptions } from '../../support/start-app.js';

export const seedSecret = '2820ae9dfc5362f7f3a10381fb89afc7';

export interface QiscusService {
  readonly running: RunningApp;
  /** With the alias and the secret of the vendor's examples. */
  readonly app: App;
  /** A call by the app server, with the documented headers. */
  rest(method: Method, path: string): Test;
  /** Registers a user and returns its `user`. */
  login(userId: string, more?: Readonly<Record<string, unknown>>): Promise<Record<string, any>>;
  /** The user token. */
  tokenOf(userId: string): Promise<string>;
  stop(): Promise<void>;
}

/** The service with an app like in the vendor's examples: `sdksample` and its secret. */
export async function startQiscus(options: StartOptions = {}): Promise<QiscusService> {
  const running = await startApp(options);
  const app = await running.nest.get(AppsService).create({
    org: `qiscus${randomBytes(4).toString('hex')}`,
    name: 'sample',
    certificate: seedSecret,
    alias: 'sdksample',
  });
  const rest: QiscusService['rest'] = (method, path) =>
    request(running.url)
      [method](`/api/v2.1/rest/${path}`)
      .set({ 'QISCUS-SDK-APP-ID': 'sdksample', 'QISCUS-SDK-SECRET': seedSecret });
  return {
    running,
    app,
    rest,
    async login(userId, more = {}) {
      const body = { user_id: userId, username: `Name of ${userId}`, password: 'password', ...more };
      const response = await rest('post', 'login_or_register').send(body);
      if (response.status !== 200) throw new Error(`no login of ${userId}: ${response.text}`);
      return (response.body as { results: { user: Record<string, any> } }).results.user;
    },
    async tokenOf(userId) {
      const response = await rest('get', 'get_user_token').query({ user_id: userId });
      return (response.body as { results: { token: string } }).results.token;
    },
    stop: () => running.stop(),
  };
}

/** Every validation error has exactly these members: shape A of the vendor. */
export function invalid(members: readonly string[]) {
  return {
    error: {
      detailed_messages: members.map(() => expect.stringMatching(/./)),
      errors: Object.fromEntries(members.map((member) => [member, [expect.stringMatching(/./)]])),
      message: expect.stringMatching(/./),
    },
    status: 400,
  };
}

/** Shape B for everything else; with a number if the vendor has one. */
export function refused(status: number, code?: number) {
  return { error: { ...(code === undefined ? {} : { code }), message: expect.stringMatching(/./) }, status };
}
