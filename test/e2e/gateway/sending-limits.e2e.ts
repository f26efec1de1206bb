import { AppsService } from '../../../src/apps/apps.service.js';
import { aBootstrapApp } from '../../factories/app.factory.js';
import { agoraErrors, expectError } from '../../support/agora-answers.js';
import { GatewayClient, refusal, until } from '../../support/gateway-client.js';
import { type Frame, MessageClient } from '../../support/message-client.js';
import { type RunningApp, startApp } from '../../support/start-app.js';
import { createDatabase, type TestDatabase } from '../../support/test-database.js';
import { withinASecond } from '../../support/within-a-second.js';

describe('sending limits of an app and its users', () => {
  const perUser = 5;
  const perApp = 20;
  let database: TestDatabase;
  let service: RunningApp;
  const users = ['ann', 'ben', 'cy', 'dee', 'eve', 'flo', 'gus'];

  beforeAll(async () => {
    database = await createDatabase();
    const settings = {
      rate_profile: 'agora',
      messages_per_second: String(perApp),
      messages_per_second_per_user: String(perUser),
    };
    service = await startApp({ database, settings });
    for (const username of users) await service.register(username);
  });
  afterAll(async () => {
    await service.stop();
    await database.drop();
  });
  // Whatever an earlier test has used up is available again.
  beforeEach(() => new Promise((resolve) => setTimeout(resolve, 1_100)));

  /** Sends without waiting, and returns the outcome of each, in order. */
  async function sendAtOnce(client: MessageClient, count: number, body: object = {}): Promise<Frame[]> {
    const answers = (): Frame[] => client.frames.filter(({ type }) => type === 'sent' || type === 'error');
    const before = answers().length;
    for (let ref = 0; ref < count; ref += 1) client.send({ type: 'send', ref, to: 'gus', body });
    await until(() => answers().length >= before + count, 10_000, 5);
    return answers().slice(before);
  }
  const post = (to: string[], headers = {}) =>
    service.call('post', '/messages/users', { body: { from: 'bot', to, type: 'txt', body: {} }, headers });

  test('a user over the limit is told when to retry, and is served then; another user notices nothing', async () => {
    const [ann, ben] = [await MessageClient.logIn(service, 'ann'), await MessageClient.logIn(service, 'ben')];
    const answers = await sendAtOnce(ann, 8);
    expect(answers.map(({ type, ref }) => [type, ref as number])).toEqual([
      ...[0, 1, 2, 3, 4].map((ref) => ['sent', ref]),
      ...[5, 6, 7].map((ref) => ['error', ref]),
    ]);
    for (const refused of answers.slice(5)) {
      expect(refused).toMatchObject({ code: 'rate_limited', message: expect.any(String) as string });
      expect(refused['retry_after_ms']).toBeGreaterThan(0);
      expect(refused['retry_after_ms']).toBeLessThanOrEqual(1_000);
    }
    expect((await sendAtOnce(ben, perUser)).map(({ type }) => type)).toEqual(Array(perUser).fill('sent'));
    await new Promise((resolve) => setTimeout(resolve, answers.at(-1)?.['retry_after_ms'] as number));
    expect((await sendAtOnce(ann, 1)).map(({ type }) => type)).toEqual(['sent']);
    await Promise.all([ann.close(), ben.close()]);
  });

  test('a long message counts as several', async () => {
    const cy = await MessageClient.logIn(service, 'cy');
    const answers = await sendAtOnce(cy, 2, { msg: 'x'.repeat(3_500) });
    expect(answers.map(({ type }) => type)).toEqual(['sent', 'error']);
    await cy.close();
  });

  test('the devices of a user share one limit across nodes', async () => {
    const other = globalThis.rollcallRedis ? await startApp({ database }) : service;
    const elsewhere = { ...other, app: service.app, path: service.path };
    const [phone, desk] = [
      await MessageClient.logIn(service, 'dee', { device: 'phone' }),
      await MessageClient.logIn(elsewhere, 'dee', { device: 'desk' }),
    ];
    await withinASecond(async () => {
      const answers = [...(await sendAtOnce(phone, 3)), ...(await sendAtOnce(desk, 3))];
      expect(answers.map(({ type }) => type)).toEqual([...Array<string>(5).fill('sent'), 'error']);
    });
    await Promise.all([phone.close(), desk.close()]);
    if (other !== service) await other.stop();
  });

  test('429 for an app over its receivers per second, counting REST and users together', async () => {
    const eve = await MessageClient.logIn(service, 'eve');
    await withinASecond(async () => {
      expect((await post(users)).status).toBe(200);
      expect((await post(users)).status).toBe(200);
      const refused = await post(users);
      expectError(refused, agoraErrors.tooMany);
      expect(Number(refused.headers['retry-after'])).toBe(1);
      // A refused message changes nothing, and a smaller one fits.
      expect((await post(users.slice(0, 4))).status).toBe(200);
      expect((await sendAtOnce(eve, 4)).map(({ type, code }) => code ?? type)).toEqual([
        ...['sent', 'sent', 'rate_limited', 'rate_limited'],
      ]);
    });
    await eve.close();
  });

  test('200 for one call that exceeds the limit, once a second; 429 is not stored for an Idempotency-Key', async () => {
    const many = Array.from({ length: 600 }, (_none, index) => `nobody-${index}`);
    const headers = { 'idempotency-key': 'many' };
    await withinASecond(async () => {
      expect((await post(many)).status).toBe(200);
      expect((await post(many, headers)).status).toBe(429);
    });
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    expect((await post(many, headers)).status).toBe(200);
    expect((await post(many, headers)).status).toBe(200);
  });

  test('an app without rate limits has no sending limits either', async () => {
    const apps = service.nest.get(AppsService);
    await apps.set(service.app, 'rate_profile', 'off');
    try {
      const flo = await MessageClient.logIn(service, 'flo');
      expect((await sendAtOnce(flo, 50)).map(({ type }) => type)).toEqual(Array(50).fill('sent'));
      await flo.close();
    } finally {
      await apps.set(service.app, 'rate_profile', 'agora');
    }
  });
});

describe('the number of sockets an app may have on a node', () => {
  test('503 too_many_sessions beyond four fifths of all; other apps get in, and so does this one when a socket closes', async () => {
    const service = await startApp({ env: { GATEWAY_MAX_SESSIONS: '10' } });
    try {
      const apps = service.nest.get(AppsService);
      const other = await apps.create({ ...aBootstrapApp() });
      const connect = (path = service.path) => GatewayClient.connect(service.url, path);
      const url = (path = service.path) => `${service.url}${path}/ws`;
      const mine = await Promise.all(Array.from({ length: 8 }, () => connect()));
      const refused = await refusal(url());
      expect(refused).toMatchObject({
        status: 503,
        body: { code: 'too_many_sessions' },
        headers: { 'retry-after': '1' },
      });
      const theirs = await connect(`/${other.org}/${other.name}`);
      await mine.pop()?.close();
      mine.push(await connect());
      expect(await refusal(url())).toMatchObject({ status: 503 });

      await apps.set(other, 'sessions_per_node', '1');
      expect(await refusal(url(`/${other.org}/${other.name}`))).toMatchObject({ body: { code: 'too_many_sessions' } });
      await Promise.all([...mine, theirs].map((client) => client.close()));
    } finally {
      await service.stop();
    }
  });
});
