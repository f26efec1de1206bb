import { Database, type SqlRow, type Transaction } from '../database/database.js';
import type { NewGroup } from '../groups/group.js';
import { GroupsService } from '../groups/groups.service.js';
import { MessagesService } from '../messages/messages.service.js';
import { aUsername, registrations } from '../../test/factories/user.factory.js';
import { type RunningApp, startApp } from '../../test/support/start-app.js';
import { RemovalSweep } from './removal-sweep.js';
import { RemovalsService } from './removals.service.js';

const maxRowsPerTransaction = 1_000;
/** A user of whom a thousand rows and more are left. */
const ownedGroups = 20;
const membersEach = 60;
const groupsOfOthers = 200;
const messages = 400;
const bans = 350;

const aBan = { user_id: 1, starts_at: 1, banned_by: 'a', source: 'agora', created_at: 1, outcome: 'lifted' };

describe('a deletion of many rows', () => {
  let running: RunningApp;
  let database: Database;
  let removals: RemovalsService;
  let others: string[];
  let maxRows = 0;

  beforeAll(async () => {
    running = await startApp({ settings: { offline_messages_per_user: '1000' } });
    database = running.nest.get(Database);
    removals = running.nest.get(RemovalsService);
    // The tests finish what is left by themselves.
    await running.nest.get(RemovalSweep).onModuleDestroy();
    const { body } = await running.call('post', '/users', { body: registrations(membersEach - 1) });
    others = (body.entities as { username: string }[]).map(({ username }) => username);
    const write = database.write.bind(database);
    database.write = (work) => write((transaction) => countRows(transaction, work));
  });
  afterEach(() => {
    expect(maxRows).toBeGreaterThan(0);
    expect(maxRows).toBeLessThanOrEqual(maxRowsPerTransaction);
    maxRows = 0;
  });
  afterAll(() => running.stop());

  async function countRows<Result>(
    transaction: Transaction,
    work: (transaction: Transaction) => Promise<Result>,
  ): Promise<Result> {
    let rows = 0;
    const result = await work({
      read: (sql, values) => transaction.read(sql, values),
      insertNew: (...given) => transaction.insertNew(...given),
      updateRows: (...given) => transaction.updateRows(...given),
      async run(sql, values) {
        const changed = await transaction.run(sql, values);
        rows += changed;
        return changed;
      },
      async insert(table, columns, inserted) {
        rows += inserted.length;
        await transaction.insert(table, columns, inserted);
      },
    });
    maxRows = Math.max(maxRows, rows);
    return result;
  }

  const rowsOf = async (table: string, column: string, value: string | number): Promise<number> =>
    (await database.read(`SELECT ${column} FROM ${table} WHERE app_id = ? AND ${column} = ?`, [running.app.id, value]))
      .length;
  const insertRows = (table: string, rows: readonly SqlRow[]) =>
    database.write((transaction) => transaction.insert(table, Object.keys(rows[0] ?? {}), rows));
  const status = async (method: 'get' | 'post' | 'delete', path: string): Promise<number> =>
    (await running.call(method, path)).status;

  const newGroup: NewGroup = {
    kind: 'group',
    ...{ name: 'n', description: '', custom: '', isPublic: true, membersOnly: false, allowInvites: true },
    maxMembers: 200,
  };

  const entry = (groupId: number, uuid: string, list: string) => ({
    ...{ app_id: running.app.id, group_id: groupId, user_uuid: uuid, list, expires_at: 4_638_873_600_000, id: 1 },
  });

  /** Owns groups with blocked users, is in groups of others and muted there, has messages and a history. */
  async function aRichUser(): Promise<{ name: string; uuid: string; owned: number[]; joined: number[] }> {
    const name = aUsername();
    const { uuid } = (await running.register(name)) as { uuid: string };
    const groups = running.nest.get(GroupsService);
    const owned: number[] = [];
    while (owned.length < ownedGroups) owned.push((await groups.create(running.app.id, newGroup, name, others)).id);
    const joined: number[] = [];
    const [friend = '', neighbour = ''] = others;
    while (joined.length < groupsOfOthers)
      joined.push((await groups.create(running.app.id, newGroup, friend, [neighbour, name])).id);
    await insertRows(
      'group_list_entries',
      [...owned, ...joined].flatMap((id) => [
        entry(id, uuid, 'mute'),
        ...(owned.includes(id) ? others.map((_other, index) => entry(id, `none-${index}`, 'block')) : []),
      ]),
    );
    await Promise.all(
      Array.from({ length: messages }, async (_none, index) => {
        const message = { from: friend, to: [name], type: 'txt', body: { index } };
        await running.nest.get(MessagesService).send(running.app, message);
      }),
    );
    const line = { app_id: running.app.id, user_uuid: uuid, activated: 1, at: 1, actor: 'a', reason: null };
    const lines = Array.from({ length: bans / 2 }, (_none, index) => ({ ...line, id: index + 1 }));
    await insertRows('user_activations', lines);
    await insertRows(
      'bans',
      lines.map(({ id }) => ({ ...aBan, app_id: running.app.id, user_uuid: uuid, id })),
    );
    return { name, uuid, owned, joined };
  }

  async function rowsLeft(uuid: string, owned: readonly number[]): Promise<number> {
    let rows = await rowsOf('chat_groups', 'owner_uuid', uuid);
    for (const table of [
      'group_members',
      'group_list_entries',
      'inbox_messages',
      'user_activations',
      'bans',
      'user_profiles',
      'inboxes',
    ])
      rows += await rowsOf(table, 'user_uuid', uuid);
    for (const table of ['group_members', 'group_list_entries'])
      for (const id of owned) rows += await rowsOf(table, 'group_id', id);
    return rows;
  }

  test('of a user: gone for everybody with the answer, whole after portions that may be cut off anywhere', async () => {
    const { name, uuid, owned, joined } = await aRichUser();
    const [first = 0] = owned;
    const last = joined.at(-1) as number;
    const [friend = '', neighbour = ''] = others;
    const before = (await running.call('get', `/users/${neighbour}/joined_chatgroups`)).body.count as number;
    maxRows = 0;
    expect(await status('delete', `/users/${name}`)).toBe(200);
    const next = await running.register(name);

    const expectGone = async (): Promise<void> => {
      expect(await status('get', `/chatgroups/${first}`)).toBe(404);
      expect(await status('post', `/chatgroups/${first}/users/${friend}`)).toBe(404);
      expect(await status('delete', `/chatgroups/${first}`)).toBe(404);
      const listed = (await running.call('get', '/chatgroups?limit=1000')).body.data as Record<string, unknown>[];
      expect(listed.map((group) => Number(group['groupid']))).toEqual(joined.slice(0, listed.length));
      expect(listed.length).toBeGreaterThan(ownedGroups);
      expect(new Set(listed.map((group) => group['affiliations']))).toEqual(new Set([2]));
      expect((await running.call('get', `/users/${neighbour}/joined_chatgroups`)).body.count).toBe(
        before - ownedGroups,
      );
      expect((await running.call('get', `/chatgroups/${last}`)).body.data[0].affiliations_count).toBe(2);
      expect(await status('get', `/users/${uuid}`)).toBe(404);
      expect((await running.call('get', `/users/${name}/joined_chatgroups`)).body.count).toBe(0);
      expect((await running.call('get', `/users/${name}/offline_msg_count`)).body.data[name]).toBe(0);
      expect(next.uuid).not.toBe(uuid);
    };
    await expectGone();
    const leftAfter = [await rowsLeft(uuid, owned)];
    // Each time it is cut off after two portions.
    for (let cut = 0; cut < 3; cut += 1) {
      let portions = 0;
      await removals.finish({ all: true }, () => (portions += 1) <= 3);
      await expectGone();
      leftAfter.push(await rowsLeft(uuid, owned));
    }
    expect(leftAfter).toEqual([...new Set(leftAfter)].sort((one, other) => other - one));
    expect(leftAfter.at(-1)).toBeGreaterThan(0);
    expect(await removals.finish({ all: true })).toBe(1);
    await expectGone();
    expect(await rowsLeft(uuid, owned)).toBe(0);
    expect(await database.read('SELECT subject FROM removals WHERE app_id = ?', [running.app.id])).toEqual([]);
    const counters = await database.read('SELECT id FROM chat_groups WHERE app_id = ? AND members <> 2', [
      running.app.id,
    ]);
    expect(counters).toEqual([]);
    for (const id of joined) await running.nest.get(GroupsService).delete(running.app.id, 'group', String(id));
  }, 120_000);

  test('of a group of more members than one transaction takes: gone at once, and for two who finish it at once', async () => {
    const name = aUsername();
    await running.register(name);
    const { id } = await running.nest.get(GroupsService).create(running.app.id, newGroup, name, others);
    const member = { app_id: running.app.id, group_id: id, kind: 'group', joined_at: 1 };
    for (let part = 0; part < 4; part += 1)
      await insertRows(
        'group_members',
        Array.from({ length: 500 }, (_none, index) => ({ ...member, user_uuid: `none-${part}-${index}` })),
      );
    const blocked = Array.from({ length: 900 }, (_none, index) => entry(id, `none-${index}`, 'block'));
    await insertRows('group_list_entries', blocked);
    maxRows = 0;
    expect(await status('delete', `/chatgroups/${id}`)).toBe(200);
    expect(await status('get', `/chatgroups/${id}`)).toBe(404);
    expect(await status('delete', `/chatgroups/${id}`)).toBe(404);
    expect((await running.call('get', `/users/${name}/joined_chatgroups`)).body.count).toBe(0);
    expect(await rowsOf('group_members', 'group_id', id)).toBeGreaterThan(1_000);
    await Promise.all([removals.finish({ all: true }), removals.finish({ all: true })]);
    for (const table of ['group_members', 'group_list_entries']) expect(await rowsOf(table, 'group_id', id)).toBe(0);
  }, 60_000);

  test('of a hundred users at once who all have much: one answer, and nothing is left of any', async () => {
    const { body } = await running.call('post', '/users', { body: registrations(30) });
    const uuids = (body.entities as { uuid: string }[]).map(({ uuid }) => uuid);
    for (const uuid of uuids) {
      const line = { ...aBan, app_id: running.app.id, user_uuid: uuid };
      await insertRows(
        'bans',
        Array.from({ length: 40 }, (_none, index) => ({ ...line, id: index + 1 })),
      );
    }
    maxRows = 0;
    const { status: answered } = await running.call('delete', '/users?limit=100');
    expect(answered).toBe(200);
    expect((await running.call('get', '/users?limit=100')).body.entities).toEqual([]);
    expect(await removals.finish({ all: true })).toBeGreaterThan(0);
    for (const uuid of uuids) expect(await rowsLeft(uuid, [])).toBe(0);
  }, 60_000);
});

test('what a node has left behind is taken up in the second round, unless it moves', async () => {
  const running = await startApp();
  try {
    const removals = running.nest.get(RemovalsService);
    await running.nest.get(RemovalSweep).onModuleDestroy();
    const database = running.nest.get(Database);
    const of = [running.app.id, 'user', 'somebody'];
    await database.write((transaction) =>
      transaction.run('INSERT INTO removals (app_id, kind, subject, portions) VALUES (?, ?, ?, 0)', of),
    );
    expect(await removals.finish({ all: false })).toBe(0);
    await database.write((transaction) =>
      transaction.run('UPDATE removals SET portions = 1 WHERE app_id = ? AND kind = ? AND subject = ?', of),
    );
    expect(await removals.finish({ all: false })).toBe(0);
    expect(await removals.finish({ all: false })).toBe(1);
  } finally {
    await running.stop();
  }
});
