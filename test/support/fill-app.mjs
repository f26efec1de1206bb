// Fills an app with many users, inboxes, messages and members by bulk SQL, bypassing the service, to see what its
// routes cost.
import Sqlite from 'better-sqlite3';
import { createConnection } from 'mysql2/promise';

/** @typedef {(table: string, columns: string[], rows: Iterable<unknown[]>) => Promise<void>} Insert */

/**
 * @typedef {object} Filling
 * @property {number} users named `user-00000`, …; they have nicknames in another order
 * @property {number} inboxes of the first so many users
 * @property {number} messages in each inbox, unread
 * @property {number} [rooms] which all belong to the first user
 * @property {number} [members] of each of these rooms: the first so many users
 */

const rowsPerStatement = 2_000;
const rowsPerTransaction = 20_000;
const firstId = 1_000_000;
const firstAt = 1_700_000_000_000;

/** @param {number} index */
export const usernameOf = (index) => `user-${String(index).padStart(6, '0')}`;
/** @param {number} index */
const uuidOf = (index) =>
  `${((index * 2_654_435_761) % 2 ** 32).toString(16).padStart(8, '0')}-0000-4000-8000-${index.toString(16).padStart(12, '0')}`;
/** @param {number} index */
export const roomIdOf = (index) => firstId + index;

/**
 * @param {string} url of a database that Rollcall has migrated; its service may be running
 * @param {string} appId the uuid of the app, which has nothing yet
 * @param {Filling} filling
 */
export async function fillApp(url, appId, filling) {
  await (url.startsWith('sqlite:') ? intoSqlite(url, appId, filling) : intoMysql(url, appId, filling));
}

/** @param {string} url @param {string} appId @param {Filling} filling */
async function intoSqlite(url, appId, filling) {
  const database = new Sqlite(url.slice('sqlite:'.length), { timeout: 30_000 });
  database.pragma('synchronous = OFF');
  await fill(appId, filling, async (table, columns, rows) => {
    const statement = database.prepare(
      `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`,
    );
    database.exec('BEGIN');
    let written = 0;
    for (const row of rows) {
      statement.run(...row);
      written += 1;
      if (written % rowsPerTransaction === 0) database.exec('COMMIT; BEGIN');
    }
    database.exec('COMMIT');
  });
  database.pragma('wal_checkpoint(TRUNCATE)');
  database.close();
}

/** @param {string} url @param {string} appId @param {Filling} filling */
async function intoMysql(url, appId, filling) {
  const database = await createConnection(url);
  await database.query('SET unique_checks = 0, autocommit = 0');
  await fill(appId, filling, async (table, columns, rows) => {
    /** @type {unknown[][]} */
    let some = [];
    const write = async () => {
      if (some.length > 0) await database.query(`INSERT INTO ${table} (${columns.join(', ')}) VALUES ?`, [some]);
      some = [];
    };
    for (const row of rows) {
      some.push(row);
      if (some.length === rowsPerStatement) await write();
    }
    await write();
    await database.query('COMMIT');
  });
  for (const table of ['users', 'inboxes', 'inbox_messages']) await database.query(`ANALYZE TABLE ${table}`);
  await database.end();
}

/** @param {string} appId @param {Filling} filling @param {Insert} insert */
async function fill(appId, { users, inboxes, messages, rooms = 0, members = 0 }, insert) {
  /** @type {<Row>(count: number, row: (index: number) => Row) => Generator<Row>} */
  const rowsOf = function* (count, row) {
    for (let index = 0; index < count; index += 1) yield row(index);
  };
  await insert(
    'users',
    ['app_id', 'username', 'uuid', 'id', 'nickname', 'activated', 'created_at', 'modified_at', 'token_epoch'],
    rowsOf(users, (index) => [
      ...[appId, usernameOf(index), uuidOf(index), firstId + index, `name ${(index * 7_919) % users}`, 1],
      ...[firstAt + index, firstAt + ((index * 104_729) % users), 0],
    ]),
  );
  await insert('user_counts', ['app_id', 'slot', 'users'], [[appId, 0, users]]);
  await insert(
    'inboxes',
    ['app_id', 'user_uuid', 'last_seq', 'read_seq', 'undelivered', 'kept', 'history'],
    rowsOf(inboxes, (index) => [appId, uuidOf(index), messages, 0, messages, messages, 0]),
  );
  await insert(
    'messages',
    ['app_id', 'id', 'sender', 'chat_type', 'type', 'body', 'created_at'],
    rowsOf(messages, (index) => [appId, 1 + index, 'somebody', 'chat', 'txt', '{"msg":"hello"}', firstAt + index]),
  );
  await insert(
    'inbox_messages',
    ['app_id', 'user_uuid', 'seq', 'id', 'message_id', 'state', 'offline', 'own', 'created_at'],
    rowsOf(inboxes * messages, (index) => {
      const seq = 1 + (index % messages);
      return [
        ...[appId, uuidOf(Math.floor(index / messages)), seq, firstId + index, seq, 0, 1, 0],
        firstAt + (index % messages),
      ];
    }),
  );
  await insert(
    'chat_groups',
    [
      ...['app_id', 'id', 'kind', 'owner_uuid', 'name', 'description', 'custom', 'is_public', 'members_only'],
      ...['allow_invites', 'members_most', 'members', 'created_at', 'modified_at'],
    ],
    rowsOf(rooms, (index) => [
      ...[appId, roomIdOf(index), 'room', uuidOf(0), `room ${index}`, '', '', 1, 0],
      ...[0, 5_000, members, firstAt, firstAt],
    ]),
  );
  await insert(
    'group_members',
    ['app_id', 'group_id', 'user_uuid', 'kind', 'joined_at'],
    rowsOf(rooms * members, (index) => [
      ...[appId, roomIdOf(Math.floor(index / members)), uuidOf(index % members), 'room', firstAt],
    ]),
  );
}
