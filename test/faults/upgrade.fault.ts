import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { DataSource } from 'typeorm';
import { loadEnv } from '../../src/config/env.js';
import { dataSourceOptions, migrations } from '../../src/data-source.js';
import { aBootstrapApp } from '../factories/app.factory.js';
import { ServiceProcess } from '../support/service-process.js';
import { createDatabase, type TestDatabase } from '../support/test-database.js';
import { tokenOf } from '../support/tokens.js';

/** The schema of the first version; later migrations are what an upgrade adds. */
const firstVersion = migrations.slice(0, 5);
const users = 200;
const groupId = 6_600_000_000_001;

afterAll(() => ServiceProcess.killAll());

describe.each(['sqlite', 'mariadb'] as const)('an upgrade from the first version, on %s', (engine) => {
  const app = aBootstrapApp();
  const appId = randomUUID();
  let database: TestDatabase;
  /** Reads and writes as a node of the first version did, with its statements. */
  let older: DataSource;
  let written = 0;
  const served = new Set<string>();

  beforeAll(async () => {
    database = await createDatabase(engine);
    const options = dataSourceOptions(loadEnv({ DATABASE_URL: database.url }));
    older = await new DataSource({ ...options, migrations: firstVersion }).initialize();
    await older.runMigrations({ transaction: 'each' });
    await older.query(
      'INSERT INTO apps (id, org, name, public_id, certificate, previous_certificate, alias, disabled, settings, created_at)' +
        " VALUES (?, ?, ?, ?, ?, NULL, NULL, 0, '{}', ?)",
      [appId, app.org, app.name, app.appId, app.certificate, Date.now()],
    );
  });
  afterAll(async () => {
    await older.destroy();
    await database.drop();
  });

  /** Every third user is banned. */
  const writeUser = async (): Promise<string> => {
    const uuid = randomUUID();
    const [number, at] = [written, Date.now()];
    const active = number % 3 === 0 ? 0 : 1;
    await older.query(
      'INSERT INTO users (app_id, username, uuid, id, nickname, activated, created_at, modified_at, password_hash, token_epoch)' +
        ' VALUES (?, ?, ?, ?, NULL, ?, ?, ?, NULL, ?)',
      [appId, `user${number}`, uuid, number + 1, active, at, at, active === 1 ? 0 : at],
    );
    await older.query(
      'INSERT INTO user_activations (app_id, user_uuid, id, activated, at, actor, reason) VALUES (?, ?, ?, ?, ?, ?, NULL)',
      [appId, uuid, number + 1, active, at, 'first version'],
    );
    await older.query(
      'INSERT INTO inboxes (app_id, user_uuid, last_seq, read_seq, undelivered, kept, history) VALUES (?, ?, 1, 0, 1, 1, 1)',
      [appId, uuid],
    );
    await older.query(
      'INSERT INTO messages (app_id, id, sender, chat_type, type, body, ext, created_at) VALUES (?, ?, ?, ?, ?, ?, NULL, ?)',
      [appId, number + 1, 'admin', 'chat', 'txt', '{"msg":"kept"}', at],
    );
    await older.query(
      'INSERT INTO inbox_messages (app_id, user_uuid, seq, id, message_id, state, offline, own, created_at)' +
        ' VALUES (?, ?, 1, ?, ?, 0, 1, 0, ?)',
      [appId, uuid, number + 1, number + 1, at],
    );
    written += 1;
    return uuid;
  };

  /** Looks a user up, gives it a nickname, delivers its message and marks it as read. */
  const serveUser = async (number: number): Promise<void> => {
    const [owner] = await older.query<[{ id: string; certificate: string }]>(
      'SELECT id, org, name, public_id, certificate, previous_certificate, alias, disabled, settings, created_at, token_secret' +
        ' FROM apps WHERE org = ? AND name = ?',
      [app.org, app.name],
    );
    expect(owner).toMatchObject({ id: appId, certificate: app.certificate });
    const [user] = await older.query<[{ uuid: string }]>(
      'SELECT app_id, username, uuid, id, nickname, activated, created_at, modified_at, password_hash, token_epoch' +
        ' FROM users WHERE app_id = ? AND username = ?',
      [appId, `user${number}`],
    );
    await older.query(
      'UPDATE users SET nickname = ?, activated = 1, modified_at = ?, password_hash = NULL, token_epoch = 0' +
        ' WHERE app_id = ? AND username = ?',
      ['renamed', Date.now(), appId, `user${number}`],
    );
    const waiting = await older.query<{ id: number }[]>(
      'SELECT i.id, i.seq, i.offline, i.created_at, m.sender, m.chat_type, m.type, m.body, m.ext' +
        ' FROM inbox_messages i JOIN messages m ON m.app_id = i.app_id AND m.id = i.message_id' +
        ' WHERE i.app_id = ? AND i.user_uuid = ? AND i.seq > 0 AND i.state = 0 ORDER BY i.seq LIMIT 100',
      [appId, user.uuid],
    );
    expect(waiting.map(({ id }) => Number(id))).toEqual([number + 1]);
    await older.query('UPDATE inbox_messages SET state = 2 - offline WHERE app_id = ? AND id = ?', [appId, number + 1]);
    await older.query(
      'UPDATE inboxes SET undelivered = undelivered - 1, read_seq = 1 WHERE app_id = ? AND user_uuid = ?',
      [appId, user.uuid],
    );
    served.add(`user${number}`);
  };

  it('keeps and serves existing data, and lets an older node read, write and change it meanwhile and afterwards', async () => {
    const owner = await writeUser();
    while (written < users) await writeUser();
    await older.query('INSERT INTO user_counts (app_id, slot, users) VALUES (?, 0, ?)', [appId, users]);
    await older.query(
      'INSERT INTO chat_groups (app_id, id, kind, owner_uuid, name, description, custom, is_public, members_only, allow_invites,' +
        " members_most, members, created_at, modified_at) VALUES (?, ?, 'group', ?, 'old', '', '', 1, 0, 0, 200, 1, 1, 1)",
      [appId, groupId, owner],
    );

    await older.query(
      "INSERT INTO group_members (app_id, group_id, user_uuid, kind, joined_at) VALUES (?, ?, ?, 'group', 1)",
      [appId, groupId, owner],
    );

    let isServing = true;
    const writing = (async () => {
      while (isServing) {
        // Of three new users the first is banned, the second is served, the third is left alone.
        for (const number of [written, written + 1, written + 2]) {
          await writeUser();
          if (number % 3 === 1) await serveUser(number);
        }
        await sleep(5);
      }
    })();
    const node = await ServiceProcess.start({ DATABASE_URL: database.url, LOG_LEVEL: 'error' });
    const whenReady = written;
    while (written < whenReady + 20) await sleep(5);
    isServing = false;
    await writing;
    expect(await older.query('SELECT name FROM migrations')).toHaveLength(migrations.length);

    const get = async (path: string): Promise<any> => {
      const headers = { authorization: `Bearer ${tokenOf(app)}` };
      const response = await fetch(`${node.url}/${app.org}/${app.name}${path}`, { headers });
      return { status: response.status, ...((await response.json()) as object) };
    };
    const names: string[] = [];
    for (let cursor: string | undefined = ''; cursor !== undefined;) {
      const page = await get(`/users?limit=100&cursor=${cursor}`);
      for (const { username, activated, nickname } of page.entities as Record<string, unknown>[]) {
        names.push(username as string);
        expect({ username, activated, nickname }).toEqual({
          username,
          activated: Number((username as string).slice(4)) % 3 !== 0,
          nickname: served.has(username as string) ? 'renamed' : undefined,
        });
      }
      cursor = page.cursor as string | undefined;
    }
    expect(names).toEqual(Array.from({ length: written }, (_none, number) => `user${number}`));
    for (const username of [`user${users - 1}`, ...served].slice(-20)) {
      const count = await get(`/users/${username}/offline_msg_count?state=undelivered`);
      expect(count).toMatchObject({ status: 200, data: { [username]: served.has(username) ? 0 : 1 } });
    }
    const id = String(Number([...served].at(-1)?.slice(4)) + 1);
    const state = await get(`/users/${[...served].at(-1)}/offline_msg_status/${id}`);
    expect(state).toMatchObject({ status: 200, data: { [id]: 'delivered' } });
    expect(await get(`/chatgroups/${groupId}`)).toMatchObject({ status: 200, data: [{ owner: 'user0', name: 'old' }] });
    await node.stop();
  }, 60_000);
});
