import { randomUUID } from 'node:crypto';
import { Database } from '../../../src/database/database.js';
import type { AuditEntryRow } from '../../../src/audit/audit-entry.entity.js';
import { aUsername, registrations } from '../../factories/user.factory.js';
import { type Method, type Response, type RunningApp, startApp } from '../../support/start-app.js';

describe('The audit trail', () => {
  let running: RunningApp;

  beforeAll(async () => void (running = await startApp({ env: { TRUST_PROXY: '127.0.0.1' } })));
  afterAll(() => running.stop());

  const send = (method: Method, path: string, body?: unknown, headers: Record<string, string> = {}) =>
    running.call(method, path, { body, headers: { 'x-forwarded-for': '203.0.113.9', ...headers } });
  const entriesOf = async (response: Response) =>
    running.nest
      .get(Database)
      .read<AuditEntryRow>('SELECT * FROM audit_entries WHERE app_id = ? AND operation_id = ? ORDER BY seq', [
        running.app.id,
        Number(response.headers['x-operation-id']),
      ]);

  it('200 and one entry for each change of a user, with who, from where, what and what it was before', async () => {
    const name = aUsername();
    const registered = await send('post', '/users', { username: name, password: 'p', nickname: 'first' });
    const { uuid } = registered.body.entities[0];
    const [entry, ...others] = await entriesOf(registered);
    expect(others).toEqual([]);
    expect(entry).toMatchObject({
      ...{ actor: 'app_token', address: '203.0.113.9', request_id: registered.headers['x-request-id'] },
      ...{ action: 'user.register', target: name, target_uuid: uuid, outcome: 'done', reason: null, changed: 1 },
      ...{ old_values: null, new_values: '{"nickname":"first"}' },
    });
    const changes: [Method, string, unknown, Partial<AuditEntryRow>][] = [
      [
        ...(['put', '', { nickname: 'second' }] as const),
        { action: 'user.change_nickname', old_values: '{"nickname":"first"}', new_values: '{"nickname":"second"}' },
      ],
      [
        'put',
        '/password',
        { newpassword: 'q' },
        { action: 'user.change_password', new_values: '{"password":"changed"}' },
      ],
      [
        ...(['post', '/deactivate', { reason: 'spam' }] as const),
        {
          ...{ action: 'user.ban', reason: 'spam', old_values: '{"ban":null,"activated":true}' },
          new_values: '{"ban":{"starts_at":null,"ends_at":null},"activated":false}',
        },
      ],
      ['post', '/activate', undefined, { action: 'user.unban', new_values: '{"ban":null,"activated":true}' }],
      ['get', '/disconnect', undefined, { action: 'user.force_offline', old_values: null, new_values: null }],
      ['delete', '', undefined, { action: 'user.delete' }],
    ];
    for (const [method, path, body, expected] of changes)
      expect(await entriesOf(await send(method, `/users/${name}${path}`, body))).toEqual([
        expect.objectContaining({ target: name, target_uuid: uuid, ...expected }),
      ]);
  });

  it('200 and one entry with a count for a batch, of which some names were taken', async () => {
    const [first, ...rest] = registrations(60);
    await send('post', '/users', first);
    const [entry, ...others] = await entriesOf(await send('post', '/users', [first, ...rest]));
    expect(others).toEqual([]);
    expect(entry).toMatchObject({ action: 'user.register', target: null, outcome: 'partial', changed: 59 });
    expect(JSON.parse(entry?.new_values ?? '')).toEqual({ usernames: rest.map(({ username }) => username) });
  });

  it('200 and no entry for a call that changes nothing', async () => {
    const name = aUsername();
    await running.register(name, { nickname: 'n' });
    for (const [method, path, body] of [
      ['post', '/activate', undefined],
      ['put', '', { nickname: 'n' }],
    ] as const) {
      const response = await send(method, `/users/${name}${path}`, body);
      expect(response.status).toBe(200);
      expect(await entriesOf(response)).toEqual([]);
    }
  });

  it('200 and one entry for calls made at once, each with its own operation', async () => {
    const names = Array.from({ length: 30 }, () => aUsername());
    await Promise.all(names.map((name) => running.register(name)));
    const responses = await Promise.all(names.map((name) => send('post', `/users/${name}/deactivate`)));
    const entries = await Promise.all(responses.map(entriesOf));
    expect(entries.map((found) => found.map(({ target, action }) => [target, action]))).toEqual(
      names.map((name) => [[name, 'user.ban']]),
    );
  });

  it('200 with the operation of the first call, and one entry, when a call is repeated with its key', async () => {
    const name = aUsername();
    await running.register(name);
    const key = { 'idempotency-key': randomUUID() };
    const first = await send('post', `/users/${name}/deactivate`, undefined, key);
    const second = await send('post', `/users/${name}/deactivate`, undefined, key);
    expect(second.headers).toMatchObject({
      'idempotency-replayed': 'true',
      'x-operation-id': first.headers['x-operation-id'],
    });
    expect(await entriesOf(second)).toHaveLength(1);
  });

  it('404 and no operation for a call that fails', async () => {
    const response = await send('post', '/users/nobody-at-all/deactivate');
    expect(response.status).toBe(404);
    expect(response.headers['x-operation-id']).toBeUndefined();
  });
});
