import { Database, type SqlRow, type SqlValue } from '../database/database.js';
import { GroupCalls, groupKinds } from '../../test/support/group-kinds.js';
import { type RunningApp, startApp } from '../../test/support/start-app.js';
import { type Statement, StatementLog } from '../../test/support/statement-log.js';
import { forever } from './group-list.js';

const others = 40;
const blocked = 3_000;
const rowsPerInsert = 500;
/** Far below the number of rows of a list, of a group or of all groups. */
const maxRows = 150;

describe('statements about the lists of a group with thousands of members', () => {
  let log: StatementLog;
  let running: RunningApp;
  let groups: GroupCalls;
  let database: Database;
  let id: string;

  beforeAll(async () => {
    // Before SQLite prepares any of them.
    log = new StatementLog();
    running = await startApp();
    database = running.nest.get(Database);
    groups = new GroupCalls(running, groupKinds[0]);
    const users = ['owner', 'u1', 'u2', 'u3'].map((username) => ({ username, password: 'p' }));
    await running.call('post', '/users', { body: users });
    id = await groups.create('owner', ['u1', 'u2', 'u3']);
    const entry = { app_id: running.app.id, expires_at: forever };
    const rows: SqlRow[] = [];
    for (let index = 0; index < blocked; index += 1)
      rows.push({ ...entry, group_id: Number(id), user_uuid: `none-${index}`, list: 'block', id: index });
    for (let group = 1; group <= others; group += 1)
      rows.push({ ...entry, group_id: group, user_uuid: `none-${group}`, list: 'mute', id: group });
    for (let start = 0; start < rows.length; start += rowsPerInsert) {
      const part = rows.slice(start, start + rowsPerInsert);
      await database.write((transaction) =>
        transaction.insert('group_list_entries', Object.keys(part[0] as SqlRow), part),
      );
    }
    if (database.engine === 'mysql') await database.read('ANALYZE TABLE group_list_entries');
  }, 60_000);
  afterAll(async () => {
    await running.stop();
    log.stop();
  });

  /** The statements about lists and members that ran during `work`. */
  async function statementsOf(work: () => Promise<unknown>): Promise<Statement[]> {
    const from = log.statements.length;
    await work();
    return log.statements
      .slice(from)
      .filter(({ sql }) => /^(SELECT|DELETE)/.test(sql) && /group_(list_entries|members)/.test(sql));
  }

  const calls: readonly [string, () => Promise<unknown>][] = [
    ['members by page', () => Promise.resolve(groups.data(`/${id}/users?version=v3&limit=2`))],
    ['a page of members by its number', () => Promise.resolve(groups.data(`/${id}/users?pagenum=1&pagesize=2`))],
    ['joined groups', async () => running.call('get', '/users/u1/joined_chatgroups?pagesize=2')],
    ['an admin', async () => groups.call('post', `/${id}/admin`, { newadmin: 'u1' })],
    ['the admins', () => Promise.resolve(groups.data(`/${id}/admin`))],
    ['a mute', async () => groups.call('post', `/${id}/mute`, { usernames: ['u1', 'u2'], mute_duration: 1 })],
    ['the mutes', () => Promise.resolve(groups.data(`/${id}/mute`))],
    ['a block', async () => groups.call('post', `/${id}/blocks/users/u1`)],
    ['an addition', async () => groups.call('post', `/${id}/users/u3`)],
    ['the end of a block', async () => groups.call('delete', `/${id}/blocks/users/u1`)],
    ['a deleted user', async () => running.call('delete', '/users/u2')],
  ];

  it.each(calls)('find their rows by an index: %s', async (_what, work) => {
    const statements = await statementsOf(work);
    expect(statements.length).toBeGreaterThan(0);
    for (const { sql, values } of statements) {
      const explain = database.engine === 'sqlite' ? 'EXPLAIN QUERY PLAN' : 'EXPLAIN';
      const plan = await database.read<Record<string, unknown>>(`${explain} ${sql}`, values as SqlValue[]);
      const wrong = database.engine === 'sqlite' ? wrongOfSqlite(plan) : wrongOfMysql(plan);
      expect(wrong.map((step) => `${step} in ${sql}`)).toEqual([]);
    }
  });

  /** Every table except value lists is accessed by at least two key columns, and nothing is sorted. */
  function wrongOfSqlite(plan: readonly Record<string, unknown>[]): string[] {
    return plan
      .map(({ detail }) => String(detail))
      .filter((step) => /\b(SCAN|TEMP B-TREE)\b/.test(step) || (/^SEARCH/.test(step) && !/=\? AND/.test(step)))
      .filter((step) => !/json_each|SEARCH r USING PRIMARY KEY|FOR GROUP BY/.test(step));
  }

  function wrongOfMysql(plan: readonly Record<string, unknown>[]): string[] {
    return plan
      .filter(({ type, rows, table }) => {
        const inIndex = type !== 'ALL' && type !== 'index';
        return table !== 'r' && table !== null && (!inIndex || Number(rows) > maxRows);
      })
      .map(({ table, type, key, rows }) => [table, type, key, rows].join(' '));
  }
});
