import { randomUUID } from 'node:crypto';
import request from 'supertest';
import { TokensService } from '../../../src/auth/tokens.service.js';
import { ProfilesService } from '../../../src/profiles/profiles.service.js';
import type { User } from '../../../src/users/user.js';
import { UserWritesRepository } from '../../../src/users/user-writes.repository.js';
import { UsersService } from '../../../src/users/users.service.js';
import { aRegistration, aUsername } from '../../factories/user.factory.js';
import { agoraErrors, expectError } from '../../support/agora-answers.js';
import { GatewayClient } from '../../support/gateway-client.js';
import { type RunningApp, startApp } from '../../support/start-app.js';

const uuids = ['5d6c5f58-a650-4cdf-9399-5f7b57da51ba', '5D6C5F58-A650-4CDF-9399-5F7B57DA51BA'];

let running: RunningApp;

beforeAll(async () => {
  running = await startApp({ settings: { open_registration: 'true' } });
});
afterAll(() => running.stop());

const qiscus = (path: string, body: object) =>
  request(running.url)
    .post(path)
    .set({ 'QISCUS-SDK-APP-ID': running.app.appId, 'QISCUS-SDK-SECRET': running.app.certificates[0] })
    .send(body);
const count = () => running.nest.get(UsersService).count(running.app.id);

describe('a name in the form of a uuid', () => {
  it.each(uuids)('400 when registered through the Agora dialect: %s', async (username) => {
    for (const token of [running.token, null])
      expectError(
        await running.call('post', '/users', { body: aRegistration({ username }), token }),
        agoraErrors.illegalName(username),
      );
  });

  it.each(uuids)('400 in a batch, and nobody is registered: %s', async (username) => {
    const before = await count();
    const body = [aRegistration(), aRegistration({ username })];
    expectError(await running.call('post', '/users', { body }), agoraErrors.illegalName(username));
    expect(await count()).toBe(before);
  });

  it.each(uuids)('400 with autoCreateUser, and the user is not registered: %s', async (username) => {
    const body = { grant_type: 'inherit', username, autoCreateUser: true };
    expectError(await running.call('post', '/token', { body }), agoraErrors.illegalName(username));
  });

  it.each(uuids)('400 when registered through the Qiscus dialect, by server or client: %s', async (name) => {
    const before = await count();
    for (const [path, parameter, more] of [
      ['/api/v2.1/rest/login_or_register', 'user_id', { username: 'x' }],
      ['/api/v2/sdk/login_or_register', 'email', {}],
    ] as const) {
      const { body } = await qiscus(path, { ...more, [parameter]: name, password: 'p' });
      expect(body.error.errors).toEqual({ [parameter]: [expect.any(String)] });
    }
    const profiles = running.nest.get(ProfilesService);
    await expect(profiles.loginByIdentity(running.app, { userId: name })).rejects.toMatchObject({
      code: 'username_illegal',
    });
    expect(await count()).toBe(before);
  });
});

describe('where one user is named with the uuid of another, from before such names were refused,', () => {
  let victim: Record<string, any>;
  let decoy: string;

  beforeEach(async () => {
    victim = await running.register(aUsername('victim'));
    decoy = await insertUser(victim.uuid as string);
  });

  const stateOf = async (uuid: string) =>
    (await running.nest.get(UsersService).findByUuid(running.app.id, uuid))?.activated ?? 'gone';

  it('200 and each route finds the user whose uuid it is', async () => {
    const { uuid, username } = victim as { uuid: string; username: string };
    expect((await running.call('get', `/users/${uuid}`)).body.entities[0].username).toBe(username);
    await running.call('put', `/users/${uuid}`, { body: { nickname: 'meant' } });
    expect((await running.call('get', `/users/${username}`)).body.entities[0].nickname).toBe('meant');
    for (const path of [`/users/${uuid}/disconnect`, `/users/${uuid}/offline_msg_count`])
      expect((await running.call('get', path)).status).toBe(200);
    expect((await running.call('post', `/users/${uuid}/deactivate`)).status).toBe(200);
    expect([await stateOf(uuid), await stateOf(decoy)]).toEqual([false, true]);
    expect((await running.call('post', `/users/${uuid}/activate`)).status).toBe(200);
    expect([await stateOf(uuid), await stateOf(decoy)]).toEqual([true, true]);
    expect((await running.call('delete', `/users/${uuid}`)).status).toBe(200);
    expect([await stateOf(uuid), await stateOf(decoy)]).toEqual(['gone', true]);
  });

  it('200 and the decoy is banned and deleted by its own uuid', async () => {
    expect((await running.call('post', `/users/${decoy}/deactivate`)).status).toBe(200);
    expect([await stateOf(victim.uuid), await stateOf(decoy)]).toEqual([true, false]);
    expect((await running.call('delete', `/users/${decoy}`)).body.entities[0].username).toBe(victim.uuid);
    expect([await stateOf(victim.uuid), await stateOf(decoy)]).toEqual([true, 'gone']);
  });

  it('200 in the Qiscus dialect, which knows only names and so never reaches the user by the name of the decoy', async () => {
    const name = victim.uuid as string;
    const epoch = async () =>
      (await running.nest.get(UsersService).findByUuid(running.app.id, name))?.tokenEpoch as number;
    const before = await epoch();
    await qiscus('/api/v2.1/rest/reset_user_token', { user_id: name }).expect(200);
    expect(await epoch()).toBe(before);
    const { user } = await running.nest.get(ProfilesService).loginByIdentity(running.app, { userId: name });
    expect(user.uuid).toBe(decoy);
    const banned = await request(running.url)
      .delete('/api/v2.1/rest/deactivate_users')
      .set({ 'QISCUS-SDK-APP-ID': running.app.appId, 'QISCUS-SDK-SECRET': running.app.certificates[0] })
      .send({ user_ids: [name] });
    expect(banned.status).toBe(200);
    expect([await stateOf(name), await stateOf(decoy)]).toEqual([true, false]);
  });

  it('200 with the presence of the user for the uuid, even when the decoy is online', async () => {
    const { url, path, nest, app } = running;
    const user = await nest.get(UsersService).findByUuid(app.id, decoy);
    const client = await GatewayClient.login(
      url,
      path,
      nest.get(TokensService).issueUserToken(app, user as User).accessToken,
    );
    const stateOf = async (uuid: string) => (await running.call('get', `/users/${uuid}/status`)).body.data[uuid];
    expect([await stateOf(victim.uuid), await stateOf(decoy)]).toEqual(['offline', 'online']);
    await client.close();
  });

  /** A user row as older versions allowed it. @returns its uuid */
  async function insertUser(username: string): Promise<string> {
    const [user] = await running.nest
      .get(UserWritesRepository, { strict: false })
      .insert(running.app.id, [{ username, nickname: null, passwordHash: null }]);
    return user?.uuid as string;
  }
});

it('404 for a uuid that no user has, and the look-up registers no user', async () => {
  expectError(await running.call('get', `/users/${randomUUID()}`), agoraErrors.missingUser);
});
