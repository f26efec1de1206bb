import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { DataSource } from 'typeorm';
import { loadEnv } from '../../src/config/env.js';
import { dataSourceOptions, migrations } from '../../src/data-source.js';
import { aBootstrapApp } from '../factories/app.factory.js';
import { ServiceProcess } from '../support/service-process.js';
import { createDatabase, type TestDatabase } from '../support/test-database.js';
import { tokenOf } from '../support/tokens.js';

/** The schema of the first version: what came later is what an upgrade adds. */
const firstVersion = migrations.slice(0, 5);
const users = 200;
const groupId = 6_600_000_000_001;

afterAll(() => ServiceProcess.killAll());

describe.each(['sqlite', 'mariadb'] as const)('an upgrade from the first version, on %s', (engine) => {
  const app = aBootstrapApp();
  const appId = randomUUID();
  let database: TestDatabase;
  /** Writes what a node of the first version wrote, in its words. */
  let older: DataSource;
  let written = 0;

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

  it('keeps what was there, serves it, and takes what an older node goes on writing meanwhile and afterwards', async () => {
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

    let going = true;
    const writing = (async () => {
      while (going) {
        await writeUser();
        await sleep(5);
      }
    })();
    const node = await ServiceProcess.start({ DATABASE_URL: database.url, LOG_LEVEL: 'error' });
    const whenReady = written;
    while (written < whenReady + 20) await sleep(5);
    going = false;
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
      for (const { username, activated } of page.entities as { username: string; activated: boolean }[]) {
        names.push(username);
        expect(`${username} ${activated}`).toBe(`${username} ${Number(username.slice(4)) % 3 !== 0}`);
      }
      cursor = page.cursor as string | undefined;
    }
    expect(names).toEqual(Array.from({ length: written }, (_none, number) => `user${number}`));
    const last = `user${written - 1}`;
    expect(await get(`/users/${last}/offline_msg_count`)).toMatchObject({ status: 200, data: { [last]: 1 } });
    expect(await get(`/chatgroups/${groupId}`)).toMatchObject({ status: 200, data: [{ owner: 'user0', name: 'old' }] });
    await node.stop();
  }, 60_000);
});
