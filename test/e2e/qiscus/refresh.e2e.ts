import request from 'supertest';
import { TokensService } from '../../../src/auth/tokens.service.js';
import { ProfilesService } from '../../../src/profiles/profiles.service.js';
import { deriveRefreshToken } from '../../../src/profiles/user-token.js';
import { UsersService } from '../../../src/users/users.service.js';
import { rowsOf } from '../../support/rows.js';
import { StatementLog } from '../../support/statement-log.js';
import { type QiscusService, startQiscus } from './qiscus-service.js';

let service: QiscusService;
let log: StatementLog;

beforeAll(async () => {
  log = new StatementLog();
  service = await startQiscus({ env: { TRUST_PROXY: '127.0.0.1' } });
});
afterAll(() => {
  log.stop();
  return service.stop();
});
/** Each test calls from a new address, which has not made a guess yet. */
let address = '';
let tests = 0;
beforeEach(() => (address = `203.0.113.${(tests += 1)}`));

const client = (path: string) =>
  request(service.running.url)
    .post(`/api/v2/sdk/${path}`)
    .set({ 'QISCUS-SDK-APP-ID': 'sdksample', 'X-Forwarded-For': address });
const refresh = (userId: string, refreshToken = 'a'.repeat(40)) =>
  client('refresh_user_token').send({ user_id: userId, refresh_token: refreshToken });
const refreshTokenOf = async (email: string, password: string): Promise<string> =>
  (await client('login_or_register').send({ email, password })).body.results.user.refresh_token;
const profiles = () => rowsOf(service.running.database.url, 'SELECT user_uuid, token_hash FROM user_profiles');

/** A user of the same app created through the other dialect, without a profile. */
async function registerByAgora(username: string): Promise<void> {
  const { url, nest } = service.running;
  const { accessToken } = nest.get(TokensService).issueAppToken(service.app);
  const { org, name } = service.app;
  await request(url)
    .post(`/${org}/${name}/users`)
    .set('authorization', `Bearer ${accessToken}`)
    .send({ username, password: 'secret' })
    .expect(200);
}

test.each(['known', 'unknown'])(
  '429 the eleventh wrong refresh token in a minute for one user who is %s',
  async (userId) => {
    if (userId === 'known') await service.login(userId);
    const answers = [];
    for (let round = 0; round < 11; round += 1) answers.push((await refresh(userId)).status);
    expect(answers).toEqual([...Array<number>(10).fill(401), 429]);
  },
);

test('429 the hundred and first across all users, with passwords included in the count', async () => {
  for (let round = 0; round < 99; round += 1) expect((await refresh(`somebody-${round}`)).status).toBe(401);
  expect((await client('login_or_register').send({ email: 'other', password: 'x' })).status).toBe(401);
  expect((await refresh('last')).status).toBe(429);
});

test('200 right ones are not counted', async () => {
  await service.login('often', { password: 'secret' });
  const refreshToken = await refreshTokenOf('often', 'secret');
  for (let round = 0; round < 12; round += 1) expect((await refresh('often', refreshToken)).status).toBe(200);
});

test('401 with the same statements and without a write, whether or not the user exists', async () => {
  await service.login('profiled');
  await registerByAgora('plain');
  const before = await profiles();
  const statementsOf = async (userId: string): Promise<string[]> => {
    const { length } = log.statements;
    const { status, body } = await refresh(userId);
    expect({ status, body }).toEqual({
      status: 401,
      body: { error: { message: 'refresh token invalid' }, status: 401 },
    });
    return log.statements.flatMap(({ sql }, index) => (index >= length && /users|user_profiles/.test(sql) ? sql : []));
  };
  const known = await statementsOf('profiled');
  expect(known.length).toBeGreaterThan(1);
  expect(await statementsOf('plain')).toEqual(known);
  expect(await statementsOf('nobody')).toEqual(known);
  expect(await profiles()).toEqual(before);
});

test('200 for a user of the other dialect with the right one, and the new token is valid', async () => {
  await registerByAgora('guest');
  const { nest } = service.running;
  const user = await nest.get(UsersService).get(service.app.id, 'guest');
  const { body } = await refresh('guest', deriveRefreshToken(service.app, user.uuid, 0));
  expect((await nest.get(ProfilesService).findByToken(service.app, body.results.token))?.user.uuid).toBe(user.uuid);
});
