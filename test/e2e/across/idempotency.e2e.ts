import { randomUUID } from 'node:crypto';
import { AppsService } from '../../../src/apps/apps.service.js';
import { Database } from '../../../src/database/database.js';
import { UserEvents } from '../../../src/users/user-events.js';
import { aUsername, registrations } from '../../factories/user.factory.js';
import { FixedClock } from '../../support/fixed-clock.js';
import { eventually } from '../../support/message-client.js';
import { type Method, type RunningApp, startApp } from '../../support/start-app.js';
import { type QiscusService, startQiscus } from '../qiscus/qiscus-service.js';

const dayMs = 24 * 3600 * 1000;

describe('Idempotency-Key', () => {
  const clock = new FixedClock();
  let service: QiscusService;
  let running: RunningApp;

  beforeAll(async () => {
    service = await startQiscus({ clock });
    running = service.running;
  });
  afterAll(() => service.stop());

  const send = (method: Method, path: string, body: unknown, key: string, headers = {}) =>
    running.call(method, path, { body, headers: { 'idempotency-key': key, ...headers } });
  const rows = (table: string) =>
    running.nest
      .get(Database)
      .read<Record<string, unknown>>(`SELECT * FROM ${table} WHERE app_id = ?`, [running.app.id]);

  /** Sends the call twice and expects the second answer to be the first one, byte for byte. */
  const sendTwice = async (method: Method, path: string, body?: unknown) => {
    const key = randomUUID();
    const first = await send(method, path, body, key);
    expect(first.status).toBe(200);
    expect(first.headers['idempotency-replayed']).toBeUndefined();
    expect(first.headers['content-type']).toBe('application/json; charset=utf-8');
    const second = await send(method, path, body, key);
    expect(second.text).toBe(first.text);
    expect({ status: second.status, replayed: second.headers['idempotency-replayed'] }).toEqual({
      status: 200,
      replayed: 'true',
    });
    return first.body as Record<string, any>;
  };

  it('200 and a single effect for each route that changes something, however often the call is sent', async () => {
    const [name, other] = [aUsername(), aUsername()];
    await sendTwice('post', '/users', { username: name, password: 'p' });
    await sendTwice('post', '/users', registrations(60));
    await running.register(other);
    const user = `/users/${name}`;
    await sendTwice('put', user, { nickname: 'n' });
    await sendTwice('put', `${user}/password`, { newpassword: 'q' });
    await sendTwice('post', `${user}/password`, { newpassword: 'r' });
    await sendTwice('post', `${user}/deactivate`, { reason: 'why' });
    await sendTwice('post', `${user}/activate`);
    await sendTwice('get', `${user}/disconnect`);
    await sendTwice('delete', `${user}/disconnect/web_x`);
    await sendTwice('get', `${user}/disconnect/web_x`);
    await sendTwice('post', `/token/users/${name}/invalid`);
    await sendTwice('post', `/token/user/${name}/invalid`);
    const message = { from: 'admin', to: [name, other], type: 'txt', body: { msg: 'once' } };
    const { data } = await sendTwice('post', '/messages/users', message);
    expect(Object.keys(data as object)).toEqual([name, other]);
    const count = await running.call('get', `${user}/offline_msg_count`);
    expect(count.body.data[name]).toBe(1);
    for (const [kind, id] of [
      ['chatgroups', 'groupid'],
      ['chatrooms', 'id'],
    ] as const) {
      const group = { groupname: 'g', name: 'g', desc: 'd', description: 'd', owner: name, maxusers: 10, public: true };
      const made = await sendTwice('post', `/${kind}`, group);
      const path = `/${kind}/${made['data'][id] as string}`;
      await sendTwice('post', `${path}/users/${other}`);
      await sendTwice('delete', `${path}/users/${other}`);
      await sendTwice('post', `${path}/users`, { usernames: [other] });
      await sendTwice('delete', path);
    }
    for (const path of ['user', 'users']) {
      await sendTwice('post', `${user}/contacts/users/${other}`);
      await sendTwice('put', `/${path}/${name}/contacts/users/${other}`, { remark: 'r' });
      await sendTwice('delete', `${user}/contacts/users/${other}`);
    }
    expect((await sendTwice('post', `${user}/contacts/import`, { usernames: [other] }))['data'].success).toEqual([
      other,
    ]);
    await sendTwice('delete', `/contacts/users/${name}`);
    await sendTwice('post', `${user}/blocks/users`, { usernames: [other] });
    await sendTwice('delete', `${user}/blocks/users/${other}`);
    await sendTwice('delete', `${user}/blocks/users`, { usernames: [other] });
    await sendTwice('post', `/sdk/user/${name}/blocks`, { usernames: [other] });
    await sendTwice('delete', `/sdk/user/${name}/blocks`, { usernames: [other] });
    expect([await rows('contacts'), await rows('user_blocks')]).toEqual([[], []]);
    const deleted = await sendTwice('delete', user);
    expect(deleted['entities'][0].username).toBe(name);
    expect((await running.call('get', user)).status).toBe(404);
    const before = (await rows('users')).length;
    expect((await sendTwice('delete', '/users?limit=5'))['entities']).toHaveLength(5);
    expect(await rows('users')).toHaveLength(before - 5);
  });

  it('200 in the Qiscus dialect as well, and one reset issues one token', async () => {
    const userId = aUsername();
    const restTwice = async (method: Method, path: string, body: object) => {
      const key = randomUUID();
      const answers = [];
      for (let time = 0; time < 2; time += 1)
        answers.push(await service.rest(method, path).set('idempotency-key', key).send(body));
      expect(answers.map(({ status }) => status)).toEqual([200, 200]);
      expect(answers[1]?.text).toBe(answers[0]?.text);
      return answers[0]?.body as Record<string, any>;
    };
    await restTwice('post', 'login_or_register', { user_id: userId, username: 'n', password: 'p', extras: { a: 1 } });
    const { results } = await restTwice('post', 'reset_user_token', { user_id: userId });
    expect(await service.tokenOf(userId)).toBe(results.token);
    await restTwice('delete', 'deactivate_users', { user_ids: [userId] });
    await restTwice('post', 'reactivate_users', { user_ids: [userId] });
    const form = (boundary: string) =>
      service
        .rest('post', 'reset_user_token')
        .set({ 'idempotency-key': `form ${userId}`, 'content-type': `multipart/form-data; boundary=${boundary}` })
        .send(
          `--${boundary}\r\ncontent-disposition: form-data; name="user_id"\r\n\r\n${userId}\r\n--${boundary}--\r\n`,
        );
    const [first, second] = [await form('one'), await form('two')];
    expect({ status: second.status, text: second.text }).toEqual({ status: 200, text: first.text });
  });

  it('422 when the key was used for a different request, and nothing changes', async () => {
    const [name, other, key] = [aUsername(), aUsername(), randomUUID()];
    expect((await send('post', '/users', { username: name, password: 'p' }, key)).status).toBe(200);
    for (const [method, path, body] of [
      ['post', '/users', { username: other, password: 'p' }],
      ['post', '/users?x=1', { username: name, password: 'p' }],
      ['delete', `/users/${name}`, undefined],
    ] as [Method, string, unknown][]) {
      const answer = await send(method, path, body, key);
      expect({ status: answer.status, error: answer.body.error }).toEqual({
        status: 422,
        error: 'idempotency_key_reused',
      });
    }
    expect((await running.call('get', `/users/${name}`)).status).toBe(200);
    expect((await running.call('get', `/users/${other}`)).status).toBe(404);
  });

  it('400 for a key that is empty, too long or not printable', async () => {
    for (const key of ['', ' ', 'k'.repeat(256), 'caf\u00e9', 'a\tb']) {
      const answer = await send('post', '/users', { username: aUsername(), password: 'p' }, key);
      expect({ key, status: answer.status }).toEqual({ key, status: 400 });
      expect(answer.body.error_description).toMatch(/Idempotency-Key must be 1 to 255/);
    }
    expect((await send('post', '/users', { username: aUsername(), password: 'p' }, 'k'.repeat(255))).status).toBe(200);
  });

  it('400 and 404 leave the key unused, so the next call is processed afresh', async () => {
    const [name, key] = [aUsername(), randomUUID()];
    expect((await send('post', '/users', { username: name }, key)).status).toBe(400);
    expect((await send('post', `/users/${name}/deactivate`, undefined, key)).status).toBe(404);
    expect((await send('post', '/users', { username: name, password: 'p' }, key)).status).toBe(200);
    const taken = randomUUID();
    expect((await send('post', '/users', { username: name, password: 'p' }, taken)).status).toBe(400);
    await running.call('delete', `/users/${name}`);
    expect((await send('post', '/users', { username: name, password: 'p' }, taken)).status).toBe(200);
  });

  it('200 for one of fifty simultaneous calls with one key; the others get its answer or 409', async () => {
    const [name, key] = [aUsername(), randomUUID()];
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => send('post', '/users', { username: name, password: 'p' }, key)),
    );
    const good = answers.filter(({ status }) => status === 200);
    expect(new Set(good.map(({ text }) => text)).size).toBe(1);
    for (const { status, body, headers } of answers.filter(({ status }) => status !== 200)) {
      expect({ status, error: body.error }).toEqual({ status: 409, error: 'idempotency_key_in_use' });
      expect(headers['retry-after']).toBe('1');
    }
    expect((await rows('users')).filter(({ username }) => username === name)).toHaveLength(1);
  });

  it('200 and a single effect for ten simultaneous calls to two nodes', async () => {
    if (globalThis.rollcallEngine === 'sqlite') return;
    const other = await startApp({ clock, database: running.database });
    try {
      const app = await other.nest.get(AppsService).find(running.app.org, running.app.name);
      expect(app?.id).toBe(running.app.id);
      for (let round = 0; round < 10; round += 1) {
        const [name, key] = [aUsername(), randomUUID()];
        const message = { from: 'admin', to: [name], type: 'txt', body: { msg: 'once' } };
        await running.register(name);
        const answers = await Promise.all(
          Array.from({ length: 10 }, (_none, index) =>
            (index % 2 === 0 ? running : other).call('post', `/${running.path}/messages/users`, {
              body: message,
              token: running.token,
              headers: { 'idempotency-key': key },
            }),
          ),
        );
        expect([...new Set(answers.map(({ status }) => status))].filter((status) => status !== 409)).toEqual([200]);
        expect(new Set(answers.filter(({ status }) => status === 200).map(({ text }) => text)).size).toBe(1);
        const count = await running.call('get', `/users/${name}/offline_msg_count`);
        expect(count.body.data[name]).toBe(1);
      }
    } finally {
      await other.stop();
    }
  });

  it('400 and 401: a key replays nothing to callers without a token or in another app', async () => {
    await running.nest.get(AppsService).set(running.app, 'open_registration', 'true');
    const [name, key] = [aUsername(), randomUUID()];
    expect((await send('post', '/users', { username: name, password: 'p' }, key)).status).toBe(200);
    const stranger = await running.call('post', '/users', {
      ...{ body: { username: name, password: 'p' }, token: null, headers: { 'idempotency-key': key } },
    });
    expect({ status: stranger.status, replayed: stranger.headers['idempotency-replayed'] }).toEqual({ status: 400 });
    const { app: sample } = service;
    const path = `//${sample.org}/${sample.name}/users`;
    const refused = await send('post', path, { username: name, password: 'p' }, key);
    expect(refused.status).toBe(401);
    expect(refused.headers['idempotency-replayed']).toBeUndefined();
  });

  it('200 replayed for 24 hours from a sealed answer under a hash of the key, which is then pruned', async () => {
    const [name, key] = [aUsername('sealed'), randomUUID()];
    await send('post', '/users', { username: name, password: 'p' }, key);
    const stored = await rows('idempotent_answers');
    expect(stored.length).toBeGreaterThan(0);
    for (const row of stored) {
      expect(JSON.stringify(row)).not.toContain(key);
      expect(Buffer.from(row['answer'] as string, 'base64').toString('latin1')).not.toContain(name);
    }
    clock.advance(dayMs - 1);
    const replayed = await send('post', '/users', { username: name, password: 'p' }, key);
    expect(replayed.headers['idempotency-replayed']).toBe('true');
    clock.advance(1);
    expect((await send('post', '/users', { username: name, password: 'p' }, key)).status).toBe(400);
    const next = await send('post', '/users', { username: aUsername(), password: 'p' }, key);
    expect(next.status).toBe(200);
    for (let calls = 0; calls < 10; calls += 1) await send('get', `/users/${name}/disconnect`, undefined, randomUUID());
    for (const { expires_at } of await rows('idempotent_answers'))
      expect(Number(expires_at)).toBeGreaterThan(clock.now());
  });

  it('200 and subscribers hear of the change only after it is committed', async () => {
    const { username } = await running.register(aUsername());
    const activated: unknown[] = [];
    running.nest.get(UserEvents).subscribe(({ type, user }) => {
      if (type !== 'banned' || user.username !== username) return;
      void running.nest
        .get(Database)
        .read<{ activated: number }>('SELECT activated FROM users WHERE app_id = ? AND username = ?', [
          running.app.id,
          username,
        ])
        .then(([row]) => activated.push(row?.activated));
    });
    expect((await send('post', `/users/${username}/deactivate`, undefined, randomUUID())).status).toBe(200);
    await running.call('get', `/users/${username}`);
    await eventually(() => expect(activated).toEqual([0]));
  });
});
