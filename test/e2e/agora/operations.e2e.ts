import { Database } from '../../../src/database/database.js';
import { BulkExpiry } from '../../../src/bulk-operations/bulk-expiry.js';
import { RetentionClock } from '../../../src/retention/retention-clock.js';
import { AppsService } from '../../../src/apps/apps.service.js';
import { AuditTrail } from '../../../src/audit/audit-trail.service.js';
import { localCaller } from '../../../src/audit/caller.js';
import { runInOperation } from '../../../src/audit/operation.js';
import { aUsername } from '../../factories/user.factory.js';
import { FixedClock } from '../../support/fixed-clock.js';
import { eventually } from '../../support/message-client.js';
import { type RunningApp, startApp } from '../../support/start-app.js';

const dayMs = 24 * 3_600_000;
const final = ['done', 'cancelled', 'failed'];

describe('operations', () => {
  const clock = new FixedClock(Date.now());
  let service: RunningApp;
  const create = (body: unknown) => service.call('post', '/operations', { body });
  const operation = async (id: string) => (await service.call('get', `/operations/${id}`)).body.data;
  const finished = async (id: string) => {
    await eventually(async () => expect(final).toContain((await operation(id)).state), 60_000);
    return operation(id);
  };
  const run = async (body: unknown) => {
    const answer = await create(body);
    expect(answer.status).toBe(200);
    return finished(answer.body.data.id as string);
  };
  const results = async (id: string, query = '') =>
    (await service.call('get', `/operations/${id}/results?limit=100${query}`)).body.data as Record<string, string>[];
  const undo = (id: string, options = {}) => service.call('post', `/operations/${id}/undo`, options);
  const user = async (name: string) => (await service.call('get', `/users/${name}`)).body.entities?.[0];
  const isActive = async (name: string) => (await user(name)).activated as boolean;
  const idOf = (answer: { headers: Record<string, string> }) => answer.headers['x-operation-id'] as string;
  const users = async (count: number, prefix = aUsername()) => {
    const names = Array.from({ length: count }, (_, index) => `${prefix}-${String(index).padStart(4, '0')}`);
    for (let start = 0; start < count; start += 60)
      await service
        .call('post', '/users', {
          body: names.slice(start, start + 60).map((username) => ({ username, password: 'x' })),
        })
        .expect(200);
    return names;
  };
  const entriesOf = async (id: string) =>
    service.nest
      .get(Database)
      .read<{ seq: number; target: string }>(
        'SELECT seq, target FROM audit_entries WHERE app_id = ? AND operation_id = ? ORDER BY seq',
        [service.app.id, Number(id)],
      );

  beforeAll(async () => {
    service = await startApp({ clock });
  });
  afterAll(() => service.stop());

  describe('POST /operations', () => {
    test('200 and each user is changed once, with a result and an audit entry of the same number', async () => {
      const [one = '', two = '', three = ''] = await users(3);
      await service.call('post', `/users/${two}/deactivate`).expect(200);
      const usernames = [one.toUpperCase(), two, three, 'nobody-has-this', one];
      const answer = await create({ action: 'ban', usernames, reason: 'spam' });
      expect(answer.body.data).toMatchObject({
        ...{ action: 'ban', state: 'running', reason: 'spam', by: 'app_token' },
        progress: { total: 4, done: 1, changed: 0, unchanged: 0, failed: 1 },
      });
      const id = answer.body.data.id as string;
      expect(idOf(answer)).toBe(id);
      expect(await finished(id)).toMatchObject({
        state: 'done',
        progress: { total: 4, done: 4, changed: 2, unchanged: 1, failed: 1 },
      });
      expect(await results(id)).toEqual([
        { username: 'nobody-has-this', outcome: 'failed', code: 'user_not_found' },
        { username: two, uuid: expect.any(String), outcome: 'unchanged', code: 'already_banned' },
        { username: one, uuid: expect.any(String), outcome: 'changed' },
        { username: three, uuid: expect.any(String), outcome: 'changed' },
      ]);
      expect(await entriesOf(id)).toEqual([
        { seq: 1, target: one },
        { seq: 3, target: three },
      ]);
      expect(await Promise.all([one, two, three].map(isActive))).toEqual([false, false, false]);
    });

    test('200 for 1,000 names, and 400 for one more', async () => {
      const names = await users(1_000);
      const tooMany = await create({ action: 'ban', usernames: [...names, 'one-more'] });
      expect(tooMany.status).toBe(400);
      const data = await run({ action: 'ban', usernames: names });
      expect(data.progress).toEqual({ total: 1_000, done: 1_000, changed: 1_000, unchanged: 0, failed: 0 });
      const entries = await entriesOf(data.id as string);
      expect(new Set(entries.map(({ target }) => target))).toEqual(new Set(names));
      expect(entries).toHaveLength(1_000);
    }, 60_000);

    test('200 and a large one is undone like it was done', async () => {
      const names = await users(60);
      const data = await run({ action: 'ban', usernames: names });
      const answer = await undo(data.id as string);
      expect(answer.body.data).toMatchObject({ action: 'undo', undoes: data.id, state: 'collecting' });
      const undone = await finished(answer.body.data.id as string);
      expect(undone.progress).toEqual({ total: 60, done: 60, changed: 60, unchanged: 0, failed: 0 });
      expect(await isActive(names[50] as string)).toBe(true);
    }, 60_000);

    test('200 by filter: the beginning of the name, state and time of registration', async () => {
      const prefix = aUsername();
      const early = await users(3, `${prefix}-a`);
      clock.advance(1_000);
      const from = clock.now();
      const late = await users(300, `${prefix}-b`);
      await service.call('post', `/users/${late[0] as string}/deactivate`).expect(200);
      const filter = { username: prefix.toUpperCase(), state: 'active', created_from: from };
      const preview = await create({ action: 'ban', filter, dry_run: true });
      expect(preview.body.data).toMatchObject({ total: 299, would_change: 299, unchanged: 0, complete: true });
      expect(preview.body.data.users).toHaveLength(100);
      const data = await run({ action: 'ban', filter });
      expect(data).toMatchObject({ filter, progress: { total: 299, changed: 299 } });
      expect(await Promise.all(early.map(isActive))).toEqual([true, true, true]);
      const lifted = await run({
        action: 'unban',
        filter: { username: prefix, state: 'banned', created_to: from + dayMs },
      });
      expect(lifted.progress).toMatchObject({ total: 300, changed: 300 });
    });

    test('200 for a dry run, which changes nothing and says what would go', async () => {
      const [one = '', two = ''] = await users(2);
      const group = { groupname: 'g', desc: 'd', public: true, owner: one };
      await service.call('post', '/chatgroups', { body: group }).expect(200);
      const message = { from: two, to: [one], type: 'txt', body: { msg: 'hello' } };
      await service.call('post', '/messages/users', { body: message }).expect(200);
      const preview = await create({ action: 'delete', usernames: [one, two, 'nobody-has-this'], dry_run: true });
      expect(preview.body.data).toMatchObject({
        ...{ dry_run: true, action: 'delete', total: 3, would_change: 2, unchanged: 0, unknown: ['nobody-has-this'] },
        users: [
          { username: one, groups: 1, chatrooms: 0, offline_msg_count: 1 },
          { username: two, groups: 0, chatrooms: 0, offline_msg_count: 0 },
        ],
        confirm: expect.stringMatching(/^[0-9a-f]{32}$/),
      });
      expect(await isActive(one)).toBe(true);
      const data = await run({ action: 'delete', usernames: [one, two] });
      expect(data.progress).toMatchObject({ total: 2, changed: 2 });
      expect(await user(one)).toBeUndefined();
      const refused = await undo(data.id as string);
      expect([refused.status, refused.body.error]).toEqual([409, 'operation_not_undoable']);
    });

    test('400 for what is not understood, and nobody is changed', async () => {
      const [name = ''] = await users(1);
      for (const body of [
        { action: 'ban' },
        { action: 'ban', usernames: [name], filter: {} },
        { action: 'ban', usernames: [] },
        { action: 'ban', usernames: [name], duration: 'soon' },
        { action: 'ban', usernames: [name], ends_at: 1 },
        { action: 'unban', usernames: [name], duration: '1d' },
        { action: 'kick', usernames: [name] },
        { action: 'ban', filter: { nick: name } },
        { action: 'ban', filter: { username: '%' } },
        { action: 'ban', filter: { created_from: 'yesterday' } },
        { action: 'ban', filter: { created_from: 2, created_to: 1 } },
      ]) {
        const answer = await create(body);
        expect([body, answer.status]).toEqual([body, 400]);
      }
      expect(await isActive(name)).toBe(true);
    });

    test('200 with the same operation for the same Idempotency-Key', async () => {
      const [name = ''] = await users(1);
      const options = { body: { action: 'ban', usernames: [name] }, headers: { 'idempotency-key': aUsername() } };
      const first = await service.call('post', '/operations', options).expect(200);
      const again = await service.call('post', '/operations', options).expect(200);
      expect(again.text).toBe(first.text);
      expect(idOf(again)).toBe(idOf(first));
      const { id } = await finished(idOf(first));
      const undoing = { headers: { 'idempotency-key': aUsername() } };
      const undone = await undo(id as string, undoing).expect(200);
      expect((await undo(id as string, undoing).expect(200)).text).toBe(undone.text);
      expect(undone.body.data).toMatchObject({ state: 'done', progress: { changed: 1 } });
    });

    test('409 for a deletion that is not confirmed, where the app demands it', async () => {
      const apps = service.nest.get(AppsService);
      const [one = '', two = ''] = await users(2);
      await apps.set(service.app, 'confirm_deletes', 'true');
      try {
        const body = { action: 'delete', usernames: [one] };
        expect((await create(body)).body.error).toBe('confirmation_missing');
        const { confirm } = (await create({ ...body, dry_run: true })).body.data;
        expect((await create({ ...body, usernames: [two], confirm })).body.error).toBe('confirmation_mismatch');
        expect((await run({ ...body, confirm })).progress).toMatchObject({ changed: 1 });
        const filter = { username: two };
        const seen = (await create({ action: 'delete', filter, dry_run: true })).body.data.confirm as string;
        expect((await create({ action: 'delete', filter })).status).toBe(409);
        expect((await run({ action: 'delete', filter, confirm: seen })).progress).toMatchObject({ changed: 1 });
      } finally {
        await apps.set(service.app, 'confirm_deletes', 'false');
      }
    });
  });

  describe('GET /operations', () => {
    test('200 newest first, page by page; 404 for an unknown one', async () => {
      const [name = ''] = await users(1);
      const ids: string[] = [];
      for (const action of ['ban', 'unban', 'force_offline'])
        ids.unshift((await run({ action, usernames: [name] })).id as string);
      const first = await service.call('get', '/operations?limit=2').expect(200);
      expect((first.body.data as { id: string }[]).map(({ id }) => id)).toEqual(ids.slice(0, 2));
      const second = await service.call('get', `/operations?limit=1&cursor=${first.body.cursor as string}`).expect(200);
      expect(second.body.data[0].id).toBe(ids[2]);
      for (const id of ['1', 'x', '0', '99999999999999999999'])
        for (const [method, path] of [
          ['get', ''],
          ['get', '/results'],
          ['post', '/cancel'],
          ['post', '/undo'],
        ] as const) {
          const answer = await service.call(method, `/operations/${id}${path}`);
          expect([id, path, answer.status, answer.body.error]).toEqual([id, path, 404, 'operation_not_found']);
        }
    });

    test('200 with results by outcome, page by page', async () => {
      const names = await users(5);
      await service.call('post', `/users/${names[1] as string}/deactivate`).expect(200);
      const { id } = await run({ action: 'ban', usernames: [...names, 'nobody-1', 'nobody-2'] });
      const all = await results(id as string);
      const paged: unknown[] = [];
      for (let cursor: string | undefined = ''; cursor !== undefined;) {
        const page: Awaited<ReturnType<typeof create>> = await service.call(
          'get',
          `/operations/${id as string}/results?limit=2&cursor=${cursor}`,
        );
        paged.push(...(page.body.data as unknown[]));
        cursor = page.body.cursor as string | undefined;
      }
      expect(paged).toEqual(all);
      expect(await results(id as string, '&outcome=failed')).toHaveLength(2);
      expect(await results(id as string, '&outcome=changed')).toHaveLength(4);
      const wrong = await service.call('get', `/operations/${id as string}/results?outcome=x`);
      expect(wrong.status).toBe(400);
    });
  });

  describe('POST /operations/{id}/cancel', () => {
    test('200 and the rest of the users stay as they are; 409 afterwards', async () => {
      const names = await users(300);
      const { id } = (await create({ action: 'ban', usernames: names })).body.data;
      const cancelled = await service.call('post', `/operations/${id as string}/cancel`).expect(200);
      expect(cancelled.body.data.state).toBe('cancelled');
      expect(await entriesOf(idOf(cancelled))).toEqual([{ seq: 1, target: id as string }]);
      const data = await operation(id as string);
      const { changed, total } = data.progress as Record<string, number>;
      expect(changed).toBeLessThan(total as number);
      const waiting = await service.call('get', `/operations/${id as string}/results?outcome=waiting&limit=1`);
      expect(await isActive(waiting.body.data[0].username as string)).toBe(true);
      expect(await entriesOf(id as string)).toHaveLength(changed as number);
      const again = await service.call('post', `/operations/${id as string}/cancel`);
      expect([again.status, again.body.error]).toEqual([409, 'operation_finished']);
    });
  });

  describe('POST /operations/{id}/undo', () => {
    test('200 for a nickname: restored, unless it has changed since', async () => {
      const [name = ''] = await users(1);
      const change = (nickname: string) => service.call('put', `/users/${name}`, { body: { nickname } }).expect(200);
      await change('first');
      const second = await change('second');
      await undo(idOf(second)).expect(200);
      expect(await user(name)).toMatchObject({ nickname: 'first' });
      const third = await change('third');
      await change('fourth');
      const left = await undo(idOf(third)).expect(200);
      expect(left.body.data.progress).toMatchObject({ changed: 0, unchanged: 1 });
      expect(await results(left.body.data.id as string)).toMatchObject([{ username: name, code: 'changed_since' }]);
      expect(await user(name)).toMatchObject({ nickname: 'fourth' });
    });

    test('200 for a ban and its end, but not against a later ban', async () => {
      const [name = ''] = await users(1);
      const ban = (body: object = {}) => service.call('post', `/users/${name}/deactivate`, { body }).expect(200);
      const unban = () => service.call('post', `/users/${name}/activate`).expect(200);
      const first = await ban({ reason: 'spam' });
      await undo(idOf(first)).expect(200);
      expect(await isActive(name)).toBe(true);
      const second = await ban();
      await unban();
      const third = await ban();
      const left = await undo(idOf(second)).expect(200);
      expect(await results(left.body.data.id as string)).toMatchObject([
        { outcome: 'unchanged', code: 'changed_since' },
      ]);
      expect(await isActive(name)).toBe(false);
      await undo(idOf(third)).expect(200);
      await ban();
      const lifted = await unban();
      const undone = await undo(idOf(lifted)).expect(200);
      expect(await isActive(name)).toBe(false);
      await undo(undone.body.data.id as string).expect(200);
      expect(await isActive(name)).toBe(true);
    });

    test('200 for the bans of many until a time: the one that was lifted comes back with its end', async () => {
      const [name = ''] = await users(1);
      const bans = () =>
        service.nest
          .get(Database)
          .read<{ ends_at: number; reason: string; note: string }>(
            'SELECT ends_at, reason, note FROM bans WHERE app_id = ? AND user_uuid = ? AND state IS NOT NULL',
            [service.app.id, uuid],
          );
      const { uuid } = await user(name);
      const data = await run({ action: 'ban', usernames: [name], reason: 'r', note: 'n', duration: '1h' });
      const endsAt = data.ends_at as number;
      expect(endsAt).toBeGreaterThan(clock.now() + 3_500_000);
      expect(await bans()).toEqual([{ ends_at: endsAt, reason: 'r', note: 'n' }]);
      const lifted = await run({ action: 'unban', usernames: [name] });
      await undo(lifted.id as string).expect(200);
      expect(await bans()).toEqual([{ ends_at: endsAt, reason: 'r', note: 'n' }]);
      const again = await run({ action: 'unban', usernames: [name] });
      clock.advance(3_700_000);
      const late = await undo(again.id as string).expect(200);
      expect(late.body.data.progress).toMatchObject({ changed: 0, unchanged: 1 });
      expect(await isActive(name)).toBe(true);
    });

    test('200 for settings of the app, where they are as they were left', async () => {
      const apps = service.nest.get(AppsService);
      const trail = service.nest.get(AuditTrail);
      const set = (key: string, value: string) => {
        const change = trail.begin(localCaller('command_line', 'root'));
        return runInOperation(change, async () => {
          await apps.set(service.app, key, value);
          return String(change.id);
        });
      };
      const contacts = async () =>
        (await apps.list()).find(({ id }) => id === service.app.id)?.settings.contacts_per_user;
      const first = await set('contacts_per_user', '17');
      await undo(first).expect(200);
      expect(await contacts()).toBe(10_000);
      const second = await set('contacts_per_user', '18');
      await set('contacts_per_user', '19');
      const left = await undo(second).expect(200);
      expect(left.body.data.progress).toMatchObject({ changed: 0, unchanged: 1 });
      expect(await contacts()).toBe(19);
      expect((await undo(await set('token_secret', 'new'))).body.error).toBe('operation_not_undoable');
    });

    test('200 for attributes, and for an undo', async () => {
      const [name = ''] = await users(1);
      const attributes = async () =>
        (await service.call('get', `/metadata/user/${name}`)).body.data as Record<string, string>;
      const set = (body: string) =>
        service
          .call('put', `/metadata/user/${name}`, {
            body,
            headers: { 'content-type': 'application/x-www-form-urlencoded' },
          })
          .expect(200);
      await set('sign=a&mail=m');
      const changed = await set('sign=b&phone=1');
      const undone = await undo(idOf(changed)).expect(200);
      expect(await attributes()).toEqual({ sign: 'a', mail: 'm' });
      await undo(undone.body.data.id as string).expect(200);
      expect(await attributes()).toEqual({ sign: 'b', mail: 'm', phone: '1' });
    });

    test('409 for what cannot be undone, for a second undo, and after a day', async () => {
      const [one = '', two = ''] = await users(2);
      const password = { body: { newpassword: 'other' } };
      const kick = await service.call('get', `/users/${one}/disconnect`).expect(200);
      const changed = await service.call('put', `/users/${one}/password`, password).expect(200);
      const deleted = await service.call('delete', `/users/${one}`).expect(200);
      for (const answer of [kick, changed, deleted]) {
        const refused = await undo(idOf(answer));
        expect([refused.status, refused.body.error]).toEqual([409, 'operation_not_undoable']);
      }
      const nickname = { body: { nickname: 'n' } };
      const named = await service.call('put', `/users/${two}`, nickname).expect(200);
      const undos = await Promise.all([1, 2, 3].map(() => undo(idOf(named))));
      expect(undos.map(({ status }) => status).sort()).toEqual([200, 409, 409]);
      expect(undos.find(({ status }) => status === 409)?.body.error).toBe('operation_undone');
      const late = await service.call('put', `/users/${two}`, nickname).expect(200);
      clock.advance(dayMs + 1_000);
      const refused = await undo(idOf(late));
      expect([refused.status, refused.body.error]).toEqual([409, 'operation_too_old']);
    });
  });

  describe('DELETE /users?limit=', () => {
    test('200 for a dry run, 409 without its confirmation where the app demands it', async () => {
      const own = await startApp({ settings: { confirm_deletes: 'true' } });
      try {
        await own.call('post', '/users', { body: ['a1', 'a2', 'a3'].map((username) => ({ username, password: 'x' })) });
        const group = { groupname: 'g', desc: 'd', public: true, owner: 'a1' };
        await own.call('post', '/chatgroups', { body: group }).expect(200);
        const dry = await own.call('delete', '/users?limit=2&dry_run=1').expect(200);
        expect(dry.body.data).toMatchObject([
          { username: 'a1', groups: 1, chatrooms: 0, offline_msg_count: 0 },
          { username: 'a2', groups: 0 },
        ]);
        expect(dry.body.entities).toHaveLength(2);
        const confirm = dry.body.confirm as string;
        const missing = await own.call('delete', '/users?limit=2');
        expect([missing.status, missing.body.error]).toEqual([409, 'confirmation_missing']);
        const other = await own.call('delete', `/users?limit=3&confirm=${confirm}`);
        expect([other.status, other.body.error]).toEqual([409, 'confirmation_mismatch']);
        const gone = await own.call('delete', `/users?limit=2&confirm=${confirm}`).expect(200);
        expect(gone.body.entities).toHaveLength(2);
        expect(gone.body).not.toHaveProperty('data');
        expect((await own.call('delete', '/users?dry_run=maybe')).status).toBe(400);
        expect((await own.call('get', '/users')).body.entities).toHaveLength(1);
      } finally {
        await own.stop();
      }
    });
  });

  test('operations and their results are gone 30 days after their end', async () => {
    const [name = ''] = await users(1);
    const { id } = await run({ action: 'ban', usernames: [name] });
    clock.advance(31 * dayMs);
    await service.nest.get(RetentionClock).trust();
    expect(await service.nest.get(BulkExpiry).run()).toBeGreaterThan(0);
    const rows = await service.nest
      .get(Database)
      .read('SELECT seq FROM bulk_items WHERE app_id = ? AND operation_id = ?', [service.app.id, Number(id)]);
    expect(rows).toEqual([]);
  });
});
