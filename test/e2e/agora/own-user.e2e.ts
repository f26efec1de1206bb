import { randomBytes } from 'node:crypto';
import { AppsService } from '../../../src/apps/apps.service.js';
import { aUsername } from '../../factories/user.factory.js';
import { agoraErrors, expectError } from '../../support/agora-answers.js';
import { type Method, type RunningApp, startApp } from '../../support/start-app.js';
import { tokenOf } from '../../support/tokens.js';

describe("a user's own token on the user's own routes", () => {
  let running: RunningApp;
  let username: string;
  let uuid: string;
  let token: string;
  let other: string;

  beforeAll(async () => {
    running = await startApp({ settings: { user_tokens: 'true', qiscus_password_optional: 'true' } });
    await running.register('friend');
  });
  afterAll(() => running.stop());
  beforeEach(async () => {
    [username, other] = [aUsername(), aUsername()];
    ({ uuid } = (await running.register(username)) as { uuid: string });
    await running.register(other);
    token = await userToken(username);
    await running.call('post', `/users/${username}/contacts/users/friend`);
  });

  async function userToken(name: string): Promise<string> {
    const answer = await running.call('post', '/token', { body: { grant_type: 'inherit', username: name } });
    return (answer.body as { access_token: string }).access_token;
  }

  const credentials = () => ({
    appId: running.app.appId,
    certificate: running.app.certificates[0] as string,
  });

  const own: [Method, (name: string) => string, object | undefined][] = [
    ['get', (name) => `/users/${name}/joined_chatgroups`, undefined],
    ['get', (name) => `/users/${name}/joined_chatrooms`, undefined],
    ['get', (name) => `/users/${name}/resources`, undefined],
    ['put', (name) => `/users/${name}`, { nickname: 'a name of my own' }],
    ['post', (name) => `/users/${name}/contacts/users/friend`, undefined],
    ['put', (name) => `/user/${name}/contacts/users/friend`, { remark: 'a friend' }],
    ['put', (name) => `/users/${name}/contacts/users/friend`, { remark: 'a friend' }],
    ['get', (name) => `/users/${name}/contacts/users`, undefined],
    ['get', (name) => `/user/${name}/contacts`, undefined],
    ['get', (name) => `/users/${name}/contacts`, undefined],
    ['delete', (name) => `/users/${name}/contacts/users/friend`, undefined],
    ['post', (name) => `/users/${name}/blocks/users`, { usernames: ['friend'] }],
    ['post', (name) => `/sdk/user/${name}/blocks`, { usernames: ['friend'] }],
    ['get', (name) => `/users/${name}/blocks/users`, undefined],
    ['delete', (name) => `/users/${name}/blocks/users/friend`, undefined],
    ['delete', (name) => `/users/${name}/blocks/users`, { usernames: ['friend'] }],
    ['delete', (name) => `/sdk/user/${name}/blocks`, { usernames: ['friend'] }],
  ];

  it.each(own)("200 for %s by the user's own name, in another case, and by uuid", async (method, path, body) => {
    for (const name of [username, username.toUpperCase(), uuid])
      expect((await running.call(method, path(name), { token, body })).status).toBe(200);
    const byCertificate = tokenOf(credentials(), username);
    expect((await running.call(method, path(username), { token: byCertificate, body })).status).toBe(200);
    expect((await running.call(method, path(username), { body })).status).toBe(200);
  });

  it.each(own)("401 for another user's, for %s", async (method, path, body) => {
    for (const name of [other, aUsername(), 'nobody%20'])
      expectError(await running.call(method, path(name), { token, body }), agoraErrors.foreign);
  });

  it('401 on every other route, even those about the user', async () => {
    const calls: [Method, string, object?][] = [
      ['get', `/users/${username}`],
      ['delete', `/users/${username}`],
      ['put', `/users/${username}/password`, { newpassword: 'another' }],
      ['post', `/users/${username}/deactivate`],
      ['get', '/users'],
      ['post', `/users/${username}/contacts/import`, { usernames: [other] }],
      ['delete', `/contacts/users/${username}`],
      ['post', '/contacts/check', { username, check_list: [other] }],
      ['post', '/blocks/check', { username, check_list: [other] }],
      ['post', '/users', { username: aUsername(), password: 'secret' }],
      ['post', '/messages/users', { from: username, to: [other], type: 'txt', body: { msg: 'hello' } }],
    ];
    for (const [method, path, body] of calls)
      expectError(await running.call(method, path, { token, body }), agoraErrors.foreign);
  });

  it('403 for a contact who has blocked the user, whom the app server may still add', async () => {
    await running.call('post', `/users/${other}/blocks/users`, { body: { usernames: [username] } });
    const path = `/users/${username}/contacts/users/${other}`;
    expectError(await running.call('post', path, { token }), {
      ...{ status: 403, error: 'forbidden_op', description: 'the receiver has blocked the sender' },
    });
    expect((await running.call('post', path)).status).toBe(200);
  });

  it('401 once the token is revoked, and for the token of a banned user', async () => {
    await running.call('post', `/users/${username}/deactivate`);
    const accessToken = tokenOf(credentials(), username);
    for (const presented of [token, accessToken])
      expectError(await running.call('get', `/users/${username}/resources`, { token: presented }), agoraErrors.foreign);
  });

  it('401 unless the app enables it', async () => {
    const apps = running.nest.get(AppsService);
    await apps.set(running.app, 'user_tokens', 'false');
    try {
      expectError(await running.call('get', `/users/${username}/resources`, { token }), agoraErrors.foreign);
    } finally {
      await apps.set(running.app, 'user_tokens', 'true');
    }
  });

  it("429 for a busy user, at no expense to the app server's budget", async () => {
    const apps = running.nest.get(AppsService);
    await apps.set(running.app, 'rate_profile', 'agora');
    try {
      const calls = Array.from({ length: 15 }, () => running.call('get', `/users/${username}/resources`, { token }));
      const statuses = (await Promise.all(calls)).map(({ status }) => status);
      expect(statuses.filter((status) => status === 429).length).toBeGreaterThan(0);
      const serverAnswer = await running.call('get', `/users/${username}/resources`);
      expect(serverAnswer.headers).toMatchObject({ 'ratelimit-limit': '100', 'ratelimit-remaining': '99' });
      const otherUserAnswer = await running.call('get', `/users/${other}/resources`, { token: await userToken(other) });
      expect(otherUserAnswer.status).toBe(200);
    } finally {
      await apps.set(running.app, 'rate_profile', 'off');
    }
  });

  it("200 or 401: one user's Idempotency-Key never replays an answer to another", async () => {
    const headers = { 'idempotency-key': randomBytes(8).toString('hex') };
    const change = (name: string, presented: string) =>
      running.call('put', `/users/${name}`, { token: presented, body: { nickname: name }, headers });
    expect((await change(username, token)).body).toMatchObject({ entities: [{ nickname: username }] });
    expect((await change(other, await userToken(other))).body).toMatchObject({ entities: [{ nickname: other }] });
  });
});
