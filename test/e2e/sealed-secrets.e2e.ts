import { randomBytes } from 'node:crypto';
import request from 'supertest';
import { AppsRepository } from '../../src/apps/apps.repository.js';
import { AppsService } from '../../src/apps/apps.service.js';
import { aUsername } from '../factories/user.factory.js';
import { rowsOf } from '../support/rows.js';
import { type RunningApp, startApp } from '../support/start-app.js';
import { createDatabase, type TestDatabase } from '../support/test-database.js';
import { accessToken2 } from '../support/tokens.js';

interface Row {
  readonly org: string;
  readonly certificate: string;
  readonly previous_certificate: string | null;
  readonly token_secret: string;
}

const [one, other] = [randomBytes(32), randomBytes(32)].map((key) => key.toString('base64')) as [string, string];
const sealed = /^sealed1\.[0-9a-f]{8}\.[\w-]+$/;

let database: TestDatabase;
const started: RunningApp[] = [];

beforeEach(async () => {
  database = await createDatabase();
});
afterEach(async () => {
  for (const running of started.splice(0)) await running.stop();
  await database.drop();
});

async function start(sealingKey: string): Promise<RunningApp> {
  const running = await startApp({ database, env: { SEALING_KEY: sealingKey } });
  started.push(running);
  return running;
}

/** What a node finds in all apps after a restart with another key. */
async function restart(sealingKey: string): Promise<RunningApp> {
  for (const running of started.splice(0)) await running.stop();
  return start(sealingKey);
}

const rows = async (): Promise<Row[]> => rowsOf<Row>(database.url, 'SELECT * FROM apps');
const secretsInRows = async (): Promise<string[]> =>
  (await rows()).flatMap((row) => [row.certificate, row.previous_certificate ?? [], row.token_secret].flat());
const reseal = (running: RunningApp) => running.nest.get(AppsService).reseal();

/**
 * Both dialects with each of their secrets: an AccessToken2 and our own token, the user token and the server's secret.
 */
async function expectServes({ url, app, path, nest }: RunningApp): Promise<string> {
  const [username] = [aUsername()];
  for (const certificate of app.certificates) {
    const token = accessToken2({ appId: app.appId, certificates: [certificate] });
    expect((await request(url).get(`${path}/users`).set('authorization', `Bearer ${token}`)).status).toBe(200);
  }
  const [certificate] = app.certificates as [string];
  await request(url)
    .post('/api/v2.1/rest/login_or_register')
    // No App ID: the app has to be found by the secret alone.
    .set('QISCUS-SDK-SECRET', certificate.toUpperCase())
    .send({ user_id: username, username, password: 'p' })
    .expect(200);
  expect((await nest.get(AppsService).findByCertificate('f'.repeat(32)))?.id).toBeUndefined();
  return username;
}

async function userTokenOf({ url, app }: RunningApp, userId: string): Promise<string> {
  const { body } = await request(url)
    .get('/api/v2.1/rest/get_user_token')
    .set({ 'QISCUS-SDK-APP-ID': app.appId, 'QISCUS-SDK-SECRET': app.certificates[0] })
    .query({ user_id: userId })
    .expect(200);
  return body.results.token;
}

it('with a key, no app secret is stored in the clear, and everything that needs one works', async () => {
  const running = await start(one);
  for (const text of await secretsInRows()) expect(text).toMatch(sealed);
  await expectServes(running);
  const rotated = await running.nest.get(AppsService).rotate(running.app);
  await expectServes({ ...running, app: rotated });
  const [row] = await rows();
  expect(row?.previous_certificate).toMatch(sealed);
  for (const text of [...rotated.certificates, rotated.tokenSecret])
    expect(JSON.stringify(await rows())).not.toContain(text);
});

it('secrets move from unsealed to sealed, to another key, and back, each step beside a running node', async () => {
  const plain = await start('');
  const { app } = plain;
  const username = await expectServes(plain);
  const token = await userTokenOf(plain, username);
  const rotated = await plain.nest.get(AppsService).rotate(app);
  const expectSame = async (running: RunningApp): Promise<void> => {
    const found = await running.nest.get(AppsService).find(app.org, app.name);
    expect(found).toEqual(rotated);
    await expectServes({ ...running, app: rotated, path: plain.path });
    expect(await userTokenOf({ ...running, app: rotated }, username)).toBe(token);
  };
  const unsealed = await secretsInRows();

  // Both nodes of a pair run at the same time: the older one reads what the newer one writes.
  for (const [older, newer] of [
    ['', `none,${one}`],
    [`none,${one}`, one],
    [`${one},${other}`, `${other},${one}`],
    [other, `none,${other}`],
  ] as const) {
    const before = await restart(older);
    const after = await start(newer);
    const { apps, changed } = await reseal(after);
    expect(apps).toBe((await rows()).length);
    expect((await reseal(after)).changed).toBe(0);
    const isSealed = !newer.startsWith('none');
    expect([newer, changed > 0]).toEqual([newer, newer !== `none,${one}`]);
    for (const text of await secretsInRows()) expect(sealed.test(text)).toBe(isSealed);
    await expectSame(before);
    await expectSame(after);
  }
  expect(await secretsInRows()).toEqual(expect.arrayContaining(unsealed));
});

it('resealing resumes after an interruption, and keeps the new certificate of a concurrent rotation', async () => {
  const running = await start('');
  const apps = running.nest.get(AppsService);
  for (let count = 0; count < 5; count += 1) await apps.create({ org: `org${count}`, name: 'app' });
  const before = new Map((await apps.list()).map((app) => [app.id, app]));
  const after = await restart(one);
  const repository = after.nest.get(AppsRepository, { strict: false });
  // Every app is sealed twice at once, while one of them is rotated.
  const [, , rotated] = await Promise.all([
    reseal(after),
    repository.reseal(),
    after.nest.get(AppsService).rotate(before.get([...before.keys()][0] as string) as never),
  ]);
  for (const app of await repository.list())
    if (app.id === rotated.id) expect(app.certificates).toEqual(rotated.certificates);
    else if (before.has(app.id)) expect(app).toEqual(before.get(app.id));
  for (const text of await secretsInRows()) expect(text).toMatch(sealed);
});

it.each(['', other, `none,${other}`])(
  'a start with %j fails and says so when secrets were sealed with another key',
  async (key) => {
    await start(one);
    await expect(startApp({ database, env: { SEALING_KEY: key } })).rejects.toThrow(
      /SEALING_KEY does not open the certificate of the app [0-9a-f-]{36}: it was sealed with the key [0-9a-f]{8}/,
    );
  },
);
