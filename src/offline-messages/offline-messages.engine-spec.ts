import { randomInt } from 'node:crypto';
import { MessagesService } from '../messages/messages.service.js';
import { Database } from '../database/database.js';
import { UsersService } from '../users/users.service.js';
import { OfflineMessagesService } from './offline-messages.service.js';
import { FixedClock } from '../../test/support/fixed-clock.js';
import { type RunningApp, startApp } from '../../test/support/start-app.js';
import { createDatabase, type TestDatabase } from '../../test/support/test-database.js';

const dayMs = 24 * 3600 * 1000;
const maxKept = 8;
// SQLite allows one process; a database server has three nodes here.
const nodeCount = globalThis.rollcallEngine === 'sqlite' ? 1 : 3;

/** Advances by itself, since ids are derived from the time. */
class RunningClock extends FixedClock {
  override now(): number {
    return super.now() + Math.floor(performance.now());
  }

  override monotonic(): number {
    return super.monotonic() + performance.now();
  }
}

describe('the counters of inboxes under concurrency', () => {
  const clock = new RunningClock();
  let database: TestDatabase;
  let nodes: RunningApp[];
  let first: RunningApp;

  beforeAll(async () => {
    database = await createDatabase();
    first = await startApp({ clock, database, settings: { offline_messages_per_user: String(maxKept) } });
    nodes = [first];
    while (nodes.length < nodeCount) nodes.push(await startApp({ clock, database }));
  }, 60_000);
  afterAll(async () => {
    for (const node of nodes) await node.stop();
    await database.drop();
  });

  const rows = <Row>(sql: string): Promise<Row[]> => first.nest.get(Database).read<Row>(sql);

  /** Recounts everything from the rows, and looks for orphaned rows. */
  async function expectConsistent(): Promise<void> {
    const counted = await rows<Record<string, number>>(
      'SELECT b.user_uuid, b.undelivered, b.kept, b.history, b.last_seq,' +
        ' COALESCE(SUM(i.state = 0), 0) AS undelivered_rows, COALESCE(SUM(i.state < 2), 0) AS kept_rows,' +
        ' COALESCE(SUM(i.state >= 2), 0) AS history_rows, COALESCE(MAX(i.seq), 0) AS max_seq' +
        ' FROM inboxes b LEFT JOIN inbox_messages i ON i.app_id = b.app_id AND i.user_uuid = b.user_uuid' +
        ' GROUP BY b.user_uuid, b.undelivered, b.kept, b.history, b.last_seq',
    );
    for (const inbox of counted) {
      const { undelivered, kept, history, last_seq } = inbox;
      expect({ undelivered, kept, history }).toEqual({
        undelivered: Number(inbox['undelivered_rows']),
        kept: Number(inbox['kept_rows']),
        history: Number(inbox['history_rows']),
      });
      expect(kept).toBeLessThanOrEqual(maxKept);
      expect(history).toBeLessThanOrEqual(maxKept);
      expect(last_seq).toBeGreaterThanOrEqual(Number(inbox['max_seq']));
    }
    const orphans =
      'SELECT i.id FROM inbox_messages i LEFT JOIN inboxes b ON b.app_id = i.app_id AND b.user_uuid = i.user_uuid' +
      ' LEFT JOIN messages m ON m.app_id = i.app_id AND m.id = i.message_id' +
      ' LEFT JOIN users u ON u.app_id = i.app_id AND u.uuid = i.user_uuid' +
      ' WHERE b.user_uuid IS NULL OR m.id IS NULL OR u.uuid IS NULL';
    expect(await rows(orphans)).toEqual([]);
  }

  test('match the rows after random sends, acks, reads, expiries and deletes on all nodes', async () => {
    const seed = randomInt(2 ** 31);
    let state = seed;
    /** Mulberry32: the same seed gives the same run. */
    const random = (below: number): number => {
      state = (state + 0x6d2b79f5) | 0;
      let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
      mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
      return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
    };
    const names = Array.from({ length: 6 }, (_none, index) => `user-${index}`);
    for (const name of names) await first.register(name);
    const known: { uuid: string; id: string }[] = [];

    /** As for receivers some of whom are online; here, none are. */
    const storeLive = async (node: RunningApp, sender: string, to: readonly string[]): Promise<Map<string, string>> => {
      const message = { sender, chatType: 'chat', type: 'cmd', body: '{}', ext: null } as const;
      const receivers = to.map((username) => ({ username, offline: random(4) === 0 }));
      const receipts = await node.nest.get(OfflineMessagesService).store(first.app, message, receivers, true);
      return new Map(receipts.map(({ id }, index) => [to[index] as string, String(id)]));
    };

    const step = async (node: RunningApp): Promise<void> => {
      const offlineMessages = node.nest.get(OfflineMessagesService);
      const name = names[random(names.length)] as string;
      const what = random(100);
      if (what < 50) {
        const to = names.filter(() => random(2) === 0);
        const message = { from: name, to: [...to, 'nobody'], type: 'txt', body: { msg: `${seed}` } };
        const ids =
          what < 40 ? await node.nest.get(MessagesService).send(first.app, message) : await storeLive(node, name, to);
        for (const one of to) {
          const user = await node.nest.get(UsersService).find(first.app.id, one);
          if (user !== null) known.push({ uuid: user.uuid, id: ids.get(one) as string });
        }
      } else if (what < 80) {
        const some = known[random(known.length)];
        if (some !== undefined) await offlineMessages.acknowledge(first.app, some.uuid, some.id);
      } else if (what < 88) {
        const some = known[random(known.length)];
        if (some !== undefined) await offlineMessages.markRead(first.app.id, some.uuid, some.id);
      } else if (what < 94) {
        clock.advance(dayMs);
        await offlineMessages.expireDue();
      } else if (what < 97) {
        const users = node.nest.get(UsersService);
        // Another node may get there first.
        await users.delete(first.app.id, name).catch(() => undefined);
        await users.register(first.app, [{ username: name }], true).catch(() => undefined);
      } else {
        const user = await node.nest.get(UsersService).find(first.app.id, name);
        if (user === null) return;
        const state = await offlineMessages.count(first.app.id, user.uuid, null);
        expect(state).toBeLessThanOrEqual(maxKept);
      }
    };
    try {
      for (let round = 0; round < 12; round += 1) {
        const done = await Promise.allSettled(
          nodes.flatMap((node) =>
            Array.from({ length: 12 / nodeCount }, async () => {
              for (let count = 0; count < 8; count += 1) await step(node);
            }),
          ),
        );
        for (const one of done) if (one.status === 'rejected') throw one.reason as Error;
        await expectConsistent();
      }
    } catch (error) {
      throw new Error(`seed ${seed}: ${(error as Error).message}`, { cause: error });
    }
  }, 120_000);

  test('100 senders on all nodes to one user: nothing is lost, each sender is in order, and no id repeats', async () => {
    const { uuid } = await first.register('popular');
    const wide = { ...first.app, settings: { ...first.app.settings, offline_messages_per_user: 10_000 } };
    const ids: string[] = [];
    await Promise.all(
      Array.from({ length: 100 }, async (_none, sender) => {
        const { nest } = nodes[sender % nodeCount] as RunningApp;
        for (let index = 0; index < 5; index += 1) {
          const message = { from: `sender-${sender}`, to: ['popular'], type: 'txt', body: { index } };
          ids.push((await nest.get(MessagesService).send(wide, message)).get('popular') as string);
        }
      }),
    );
    const pulled = await first.nest.get(OfflineMessagesService).pull(first.app.id, uuid as string, 0, 0, 1_000);
    expect(pulled.map((message) => message.seq)).toEqual(Array.from({ length: 500 }, (_none, index) => index + 1));
    expect(new Set(pulled.map((message) => String(message.id)))).toEqual(new Set(ids));
    for (let sender = 0; sender < 100; sender += 1)
      expect(
        pulled.flatMap((message) => (message.sender === `sender-${sender}` ? JSON.parse(message.body).index : [])),
      ).toEqual([0, 1, 2, 3, 4]);
  }, 60_000);

  test('a flood does not evict the messages of other senders, even in an inbox too large to scan', async () => {
    const maxKept = 1_200;
    const { uuid } = await first.register('large');
    const wide = { ...first.app, settings: { ...first.app.settings, offline_messages_per_user: maxKept } };
    const messages = first.nest.get(MessagesService);
    const write = (from: string) => messages.send(wide, { from, to: ['large'], type: 'txt', body: {} });
    const writeMany = (count: number, sender: (index: number) => string) =>
      Promise.all(Array.from({ length: count }, (_none, index) => write(sender(index))));
    await writeMany(600, (index) => `early-${index % 200}`);
    await writeMany(700, () => 'flood');
    await writeMany(60, (index) => `late-${index}`);
    // Older versions omit the sender: such messages count as those of one additional sender.
    await first.nest
      .get(Database)
      .write((transaction) =>
        transaction.run(
          "UPDATE inbox_messages SET sender = NULL WHERE app_id = ? AND user_uuid = ? AND sender LIKE 'late-5%'",
          [first.app.id, uuid as string],
        ),
      );
    await writeMany(40, (index) => `last-${index}`);

    const counted = await rows<{ prefix: string; count: number | string }>(
      'SELECT SUBSTR(m.sender, 1, 5) AS prefix, COUNT(i.seq) AS count FROM inbox_messages i' +
        ' JOIN messages m ON m.app_id = i.app_id AND m.id = i.message_id' +
        ` WHERE i.user_uuid = '${uuid as string}' GROUP BY SUBSTR(m.sender, 1, 5)`,
    );
    expect(Object.fromEntries(counted.map(({ prefix, count }) => [prefix, Number(count)]))).toEqual({
      early: 600,
      flood: maxKept - 600 - 60 - 40,
      'late-': 60,
      'last-': 40,
    });
    expect(await first.nest.get(OfflineMessagesService).count(first.app.id, uuid as string, null)).toBe(maxKept);
  }, 60_000);

  test('a client that pulls while others send sees every message once, in order', async () => {
    const { uuid } = await first.register('watched');
    const wide = { ...first.app, settings: { ...first.app.settings, offline_messages_per_user: 10_000 } };
    let sending = true;
    const seen: number[] = [];
    const watch = async (): Promise<void> => {
      for (let more = true; more;) {
        more = sending;
        const last = seen.at(-1) ?? 0;
        const pulled = await first.nest.get(OfflineMessagesService).pull(first.app.id, uuid as string, last, 0, 50);
        seen.push(...pulled.map((message) => message.seq));
        more ||= pulled.length === 50;
        await new Promise(setImmediate);
      }
    };
    const watching = watch();
    await Promise.all(
      Array.from({ length: 20 }, async (_none, sender) => {
        const { nest } = nodes[sender % nodeCount] as RunningApp;
        for (let index = 0; index < 10; index += 1)
          await nest.get(MessagesService).send(wide, { from: 's', to: ['watched'], type: 'txt', body: { index } });
      }),
    );
    sending = false;
    await watching;
    expect(seen).toEqual(Array.from({ length: 200 }, (_none, index) => index + 1));
  }, 60_000);
});
