import { Injectable } from '@nestjs/common';
import { Clock } from '../clock/clock.js';
import { Database, type SqlValue, type Transaction } from '../database/database.js';
import { Gatherer } from '../database/gatherer.js';
import { TimeOrderedIds } from '../ids/time-ordered-ids.js';
import type { RemovalPortion } from '../removals/removals.service.js';
import { UserChangesService } from '../users/user-changes.service.js';
import { UsersService } from '../users/users.service.js';
import type { InboxRow } from './inbox.entity.js';
import type { InboxMessageRow } from './inbox-message.entity.js';

/** What was said. `body` and `ext` are JSON text. */
export interface Message {
  /** A folded name. */
  readonly sender: string;
  readonly chatType: 'chat';
  readonly type: string;
  readonly body: string;
  readonly ext: string | null;
}

export interface Receiver {
  /** A folded name. */
  readonly username: string;
  /** Nobody is there to take the message at once. */
  readonly away: boolean;
}

/** One message for up to `maxReceivers` receivers, and how many messages each of them may keep. */
export interface Delivery {
  readonly message: Message;
  readonly receivers: readonly Receiver[];
  readonly maxKept: number;
}

/** A message as its receiver gets it. */
export interface InboxMessage extends Message {
  readonly id: number;
  /** The place in the order of the inbox. */
  readonly seq: number;
  readonly offline: boolean;
  readonly createdAt: number;
}

export type Inbox = Pick<InboxRow, 'last_seq' | 'read_seq' | 'undelivered' | 'kept' | 'history'>;

/** Up to and without the end, in Unix milliseconds; null: open. */
export interface CreationWindow {
  readonly fromMs: number | null;
  readonly untilMs: number | null;
}

/** How many messages a user may have unread at most: so many rows are read to count them. */
export interface UnreadBound {
  readonly userUuid: string;
  readonly readSeq: number;
  readonly messages: number;
}

export type UnreadMessage = Pick<InboxMessageRow, 'seq' | 'own' | 'created_at'>;

export interface Acknowledgement {
  readonly userUuid: string;
  readonly id: number;
  readonly maxHistory: number;
}

interface ReadMark {
  readonly userUuid: string;
  readonly seq: number;
}

/** A transaction touches an inbox, its new message and the one that makes room: three rows for each receiver. */
export const maxReceivers = 300;
/** A long body weighs as much as a receiver for each of so many bytes: a transaction stays near a megabyte. */
const bytesPerRow = 3_500;
const rowsPerRun = 300;
const readsPerRun = 500;
/** A message in an inbox, and what was said, if no other inbox holds that. */
const rowsPerHeld = 2;
/** So many messages of a full inbox tell who has the most in it: of a larger one the oldest and the newest half of them. */
const maxRanked = 1_000;
/** The same for all inboxes of a transaction that are full: on SQLite, 30 ms. */
const maxRankedTogether = 30_000;
/** SELECTs in one UNION. */
const maxUnion = 50;

const inboxCounters = ['last_seq', 'read_seq', 'undelivered', 'kept', 'history'] as const;
const inboxColumns = ['app_id', 'user_uuid', ...inboxCounters];
const messageColumns = ['app_id', 'id', 'sender', 'chat_type', 'type', 'body', 'ext', 'created_at'];
const inboxMessageColumns = [
  ...['app_id', 'user_uuid', 'seq', 'id', 'message_id'],
  ...['state', 'offline', 'own', 'created_at', 'sender'],
];

const undelivered = 0;
const emptyInbox: Inbox = { last_seq: 0, read_seq: 0, undelivered: 0, kept: 0, history: 0 };

type LockedInbox = { -readonly [Key in keyof Inbox]: Inbox[Key] } & Pick<InboxRow, 'app_id' | 'user_uuid'>;
type InboxPlace = Pick<InboxMessageRow, 'user_uuid' | 'id' | 'seq' | 'state'>;
type Removable = Pick<InboxMessageRow, 'user_uuid' | 'id' | 'message_id' | 'state'>;
interface Query {
  readonly sql: string;
  readonly values: readonly SqlValue[];
}

/**
 * The inboxes of users. What belongs to an inbox changes only under the lock of its row in `inboxes`; users are locked
 * before inboxes, and both in the order of their keys.
 */
@Injectable()
export class OfflineMessagesRepository {
  private readonly byId: string;
  private readonly byIdToChange: string;
  private readonly deliveries: Gatherer<Delivery, readonly number[]>;
  private readonly acknowledgements: Gatherer<Acknowledgement, void>;
  private readonly readMarks: Gatherer<ReadMark, void>;
  private readonly inboxes: Gatherer<string, Inbox>;
  private readonly states: Gatherer<{ userUuid: string; id: number }, InboxPlace | null>;

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly ids: TimeOrderedIds,
    private readonly users: UsersService,
    private readonly userChanges: UserChangesService,
  ) {
    this.byId = database.dialect.forceIndex('inbox_messages_by_id');
    this.byIdToChange = database.dialect.forceIndexToChange('inbox_messages_by_id');
    // One run at a time: messages are stored in the order in which they came.
    this.deliveries = new Gatherer(
      (appId, deliveries) => this.database.write((transaction) => this.deliver(transaction, appId, deliveries), appId),
      { rows: rowsPerRun, runs: 1 },
      ({ message, receivers }) =>
        receivers.length + Math.floor((message.body.length + (message.ext?.length ?? 0)) / bytesPerRow),
    );
    this.acknowledgements = new Gatherer(
      (appId, items) => this.database.write((transaction) => this.acknowledgeAll(transaction, appId, items), appId),
      { rows: rowsPerRun, runs: 1 },
    );
    this.readMarks = new Gatherer(
      (appId, marks) => this.database.write((transaction) => this.moveReadMarks(transaction, appId, marks), appId),
      { rows: rowsPerRun, runs: 1 },
    );
    this.inboxes = new Gatherer((appId, uuids) => this.readInboxes(appId, uuids), { rows: readsPerRun, runs: 2 });
    this.states = new Gatherer((appId, keys) => this.readStates(appId, keys), { rows: readsPerRun, runs: 2 });
  }

  /**
   * Puts a message into the inboxes of its receivers and resolves once that is durable.
   * @returns the message id of each receiver; names that nobody has get one too, and nothing is stored
   */
  insert(appId: string, delivery: Delivery): Promise<readonly number[]> {
    return this.deliveries.add(appId, delivery);
  }

  /** The inbox of a user, empty where there is none. */
  inbox(appId: string, userUuid: string): Promise<Inbox> {
    return this.inboxes.add(appId, userUuid);
  }

  /** Where the message with this id is in the user's inbox, or null. */
  find(appId: string, userUuid: string, id: number): Promise<InboxPlace | null> {
    return this.states.add(appId, { userUuid, id });
  }

  /** Up to `limit` messages after `afterSeq` in order: those undelivered, and from `liveAfterSeq` on all. */
  async listAfter(
    appId: string,
    userUuid: string,
    afterSeq: number,
    liveAfterSeq: number,
    limit: number,
  ): Promise<InboxMessage[]> {
    const rows = await this.database.read<{
      id: number;
      seq: number;
      offline: number;
      created_at: number;
      sender: string;
      chat_type: 'chat';
      type: string;
      body: string;
      ext: string | null;
    }>(
      'SELECT i.id, i.seq, i.offline, i.created_at, m.sender, m.chat_type, m.type, m.body, m.ext' +
        ' FROM inbox_messages i JOIN messages m ON m.app_id = i.app_id AND m.id = i.message_id' +
        ' WHERE i.app_id = ? AND i.user_uuid = ? AND i.seq > ? AND (i.state = ? OR i.seq > ?) ORDER BY i.seq LIMIT ?',
      [appId, userUuid, afterSeq, undelivered, liveAfterSeq, limit],
      appId,
    );
    return rows.map(({ offline, created_at, chat_type, ...row }) => ({
      ...row,
      offline: offline !== 0,
      createdAt: created_at,
      chatType: chat_type,
    }));
  }

  /** Marks a message as delivered. One that is delivered already, gone or another user's changes nothing. */
  acknowledge(appId: string, acknowledgement: Acknowledgement): Promise<void> {
    return this.acknowledgements.add(appId, acknowledgement);
  }

  /** Everything up to `seq` was read. Never goes back. */
  markRead(appId: string, userUuid: string, seq: number): Promise<void> {
    return this.readMarks.add(appId, { userUuid, seq });
  }

  /** How many messages each of these users has not read, of those made in the window; users with none are left out. */
  async countUnread(
    appId: string,
    userUuids: readonly string[],
    { fromMs, untilMs }: CreationWindow,
  ): Promise<Map<string, number>> {
    if (userUuids.length === 0) return new Map();
    const among = this.database.dialect.among('i.user_uuid', userUuids);
    // A range of the primary key for each of them: whoever asks knows how many rows that are (`UnreadBound`).
    const rows = await this.database.read<{ user_uuid: string; unread: number | string }>(
      'SELECT i.user_uuid, COUNT(i.seq) AS unread FROM inboxes b' +
        ' JOIN inbox_messages i ON i.app_id = b.app_id AND i.user_uuid = b.user_uuid AND i.seq > b.read_seq' +
        ` WHERE b.app_id = ? AND i.app_id = ? AND ${among.sql} AND i.own = 0 AND i.created_at >= ? AND i.created_at < ?` +
        ' GROUP BY i.user_uuid',
      [appId, appId, ...among.values, fromMs ?? 0, untilMs ?? Number.MAX_SAFE_INTEGER],
      appId,
    );
    return new Map(rows.map((row) => [row.user_uuid, Number(row.unread)]));
  }

  /** Up to `limit` inboxes of this app, by uuid and after that one, that may have unread messages. */
  async listPerhapsUnread(appId: string, afterUuid: string, limit: number): Promise<UnreadBound[]> {
    const rows = await this.database.read<InboxRow>(
      `SELECT ${inboxColumns.join(', ')} FROM inboxes WHERE app_id = ? AND user_uuid > ? AND last_seq > read_seq` +
        ' ORDER BY user_uuid LIMIT ?',
      [appId, afterUuid, limit],
      appId,
    );
    return rows.map((row) => toUnreadBound(row.user_uuid, row));
  }

  /** The same of these users, 500 at most, in the order of the request. */
  async boundsOfUnread(appId: string, userUuids: readonly string[]): Promise<UnreadBound[]> {
    const inboxes = await this.inboxes.addAll(appId, userUuids);
    return userUuids.map((uuid, index) => toUnreadBound(uuid, inboxes[index] ?? emptyInbox));
  }

  /** Up to `limit` messages of a user after `afterSeq`, in order: what tells whether they count as unread. */
  listUnread(appId: string, userUuid: string, afterSeq: number, limit: number): Promise<UnreadMessage[]> {
    return this.database.read<UnreadMessage>(
      'SELECT seq, own, created_at FROM inbox_messages WHERE app_id = ? AND user_uuid = ? AND seq > ?' +
        ' ORDER BY seq LIMIT ?',
      [appId, userUuid, afterSeq, limit],
      appId,
    );
  }

  /** Removes up to `limit` messages with ids below `beforeId`, oldest first, and tells how many that were. */
  async deleteBefore(appId: string, beforeId: number, limit: number): Promise<number> {
    const due = await this.database.read<Removable>(
      `SELECT user_uuid, id, message_id, state FROM inbox_messages${this.byId}` +
        ' WHERE app_id = ? AND id < ? ORDER BY id LIMIT ?',
      [appId, beforeId, limit],
      appId,
    );
    if (due.length > 0) await this.deleteThese(appId, due);
    return due.length;
  }

  /** Removes up to `limit` messages that no inbox holds, with ids from `fromId` on and below `beforeId`. */
  async deleteUnheld(
    appId: string,
    fromId: number,
    beforeId: number,
    limit: number,
  ): Promise<{ lastId: number | null }> {
    const rows = await this.database.read<{ id: number }>(
      'SELECT id FROM messages WHERE app_id = ? AND id >= ? AND id < ? ORDER BY id LIMIT ?',
      [appId, fromId, beforeId, limit],
      appId,
    );
    const ids = rows.map((row) => row.id);
    if (ids.length > 0) await this.database.write((transaction) => this.removeUnheld(transaction, appId, ids), appId);
    return { lastId: rows.length === limit ? (ids.at(-1) ?? null) : null };
  }

  /** Removes the inboxes of users who are being deleted: from then on nobody reaches what they held. */
  async deleteInboxes(transaction: Transaction, appId: string, userUuids: readonly string[]): Promise<void> {
    const among = this.database.dialect.among('user_uuid', [...userUuids].sort());
    await transaction.run(`DELETE FROM inboxes WHERE app_id = ? AND ${among.sql}`, [appId, ...among.values]);
  }

  /** Removes up to `maxRows` rows of what inboxes that are gone have left, and answers how many at most that were. */
  async removeLeftovers({ transaction, appId, subjects, maxRows }: RemovalPortion): Promise<number> {
    const among = this.database.dialect.among('user_uuid', subjects);
    const held = await transaction.read<Removable>(
      `SELECT user_uuid, id, message_id, state FROM inbox_messages WHERE app_id = ? AND ${among.sql} LIMIT ?`,
      [appId, ...among.values, Math.ceil(maxRows / rowsPerHeld)],
    );
    await this.remove(transaction, appId, held, new Map());
    return held.length * rowsPerHeld;
  }

  private async deliver(
    transaction: Transaction,
    appId: string,
    deliveries: readonly Delivery[],
  ): Promise<(readonly number[])[]> {
    const usernames = new Set(deliveries.flatMap(({ receivers }) => receivers.map(({ username }) => username)));
    const users = await this.users.lockForUpdate(transaction, appId, [...usernames]);
    const uuids = new Map(users.map(({ username, uuid }) => [username, uuid]));
    const inboxes = await this.lockOrCreate(transaction, appId, [...uuids.values()]);
    const createdAt = this.clock.now();
    const messages: Record<string, SqlValue>[] = [];
    const arrived: Record<string, SqlValue>[] = [];
    const results = deliveries.map(({ message, receivers }) => {
      const messageId = this.ids.next();
      const arrivedBefore = arrived.length;
      const ids = receivers.map(({ username, away }) => {
        const id = this.ids.next();
        const inbox = inboxes.get(uuids.get(username) ?? '');
        if (inbox === undefined) return id;
        inbox.last_seq += 1;
        inbox.undelivered += 1;
        inbox.kept += 1;
        arrived.push({
          ...{ app_id: appId, user_uuid: inbox.user_uuid, seq: inbox.last_seq, id, message_id: messageId },
          ...{ state: undelivered, offline: away ? 1 : 0, own: username === message.sender ? 1 : 0 },
          ...{ created_at: createdAt, sender: message.sender },
        });
        return id;
      });
      // A message that nobody gets is not kept.
      if (arrived.length > arrivedBefore)
        messages.push({
          ...{ app_id: appId, id: messageId, sender: message.sender, chat_type: message.chatType },
          ...{ type: message.type, body: message.body, ext: message.ext, created_at: createdAt },
        });
      return ids;
    });
    await transaction.insert('messages', messageColumns, messages);
    await transaction.insert('inbox_messages', inboxMessageColumns, arrived);
    const maxKept = deliveries.at(-1)?.maxKept ?? 0;
    await this.trim(transaction, appId, inboxes, keptToRemove, (inbox) => inbox.kept - maxKept);
    await this.save(transaction, inboxes);
    const lastSeqs = [...inboxes].map(([uuid, inbox]): [string, number] => [uuid, inbox.last_seq]);
    await this.userChanges.add(transaction, appId, new Map(lastSeqs));
    return results;
  }

  private async acknowledgeAll(
    transaction: Transaction,
    appId: string,
    items: readonly Acknowledgement[],
  ): Promise<void[]> {
    const uuids = new Set(items.map(({ userUuid }) => userUuid));
    const inboxes = new Map((await this.lock(transaction, appId, [...uuids])).map((inbox) => [inbox.user_uuid, inbox]));
    const owners = new Map(items.map(({ id, userUuid }) => [id, userUuid]));
    const among = this.database.dialect.among('id', [...owners.keys()]);
    const found = await transaction.read<Pick<InboxMessageRow, 'user_uuid' | 'id' | 'offline'>>(
      `SELECT user_uuid, id, offline FROM inbox_messages${this.byId} WHERE app_id = ? AND state = ? AND ${among.sql}`,
      [appId, undelivered, ...among.values],
    );
    const delivered = found.filter(({ user_uuid, id }) => owners.get(id) === user_uuid && inboxes.has(user_uuid));
    for (const { user_uuid, offline } of delivered) {
      const inbox = inboxes.get(user_uuid) as LockedInbox;
      inbox.undelivered -= 1;
      if (offline !== 0) continue;
      inbox.kept -= 1;
      inbox.history += 1;
    }
    if (delivered.length > 0) {
      const changed = this.database.dialect.among(
        'id',
        delivered.map(({ id }) => id),
      );
      // An offline message stays one (1); what was taken at once becomes history (2).
      await transaction.run(
        `UPDATE inbox_messages${this.byIdToChange} SET state = 2 - offline WHERE app_id = ? AND ${changed.sql}`,
        [appId, ...changed.values],
      );
      const maxHistory = items.at(-1)?.maxHistory ?? 0;
      await this.trim(transaction, appId, inboxes, historyToRemove, (inbox) => inbox.history - maxHistory);
      await this.save(transaction, inboxes);
    }
    return items.map(() => undefined);
  }

  private async moveReadMarks(transaction: Transaction, appId: string, marks: readonly ReadMark[]): Promise<void[]> {
    const moved = new Map<string, LockedInbox>();
    const uuids = new Set(marks.map(({ userUuid }) => userUuid));
    for (const inbox of await this.lock(transaction, appId, [...uuids])) {
      const seqs = marks.flatMap(({ userUuid, seq }) => (userUuid === inbox.user_uuid ? seq : []));
      const read_seq = Math.max(inbox.read_seq, ...seqs);
      if (read_seq > inbox.read_seq) moved.set(inbox.user_uuid, { ...inbox, read_seq });
    }
    await this.save(transaction, moved);
    return marks.map(() => undefined);
  }

  /** Removes what `toRemove` finds from the inboxes that hold too many. */
  private async trim(
    transaction: Transaction,
    appId: string,
    inboxes: ReadonlyMap<string, LockedInbox>,
    toRemove: (inbox: LockedInbox, count: number, maxLooks: number) => Query,
    excessOf: (inbox: LockedInbox) => number,
  ): Promise<void> {
    // Far over after the setting was lowered: then each transaction takes its part.
    let room = rowsPerRun;
    const over = [...inboxes.values()].flatMap((inbox) => {
      const count = Math.min(excessOf(inbox), room);
      if (count <= 0) return [];
      room -= count;
      return { inbox, count };
    });
    const maxLooks = Math.min(maxRanked, Math.floor(maxRankedTogether / over.length));
    const found: Removable[] = [];
    for (let start = 0; start < over.length; start += maxUnion) {
      const some = over.slice(start, start + maxUnion).map(({ inbox, count }) => toRemove(inbox, count, maxLooks));
      const selects = some.map(({ sql }, index) => `SELECT * FROM (${sql}) AS inbox${index}`);
      found.push(
        ...(await transaction.read<Removable>(
          selects.join(' UNION ALL '),
          some.flatMap(({ values }) => values),
        )),
      );
    }
    await this.remove(transaction, appId, found, inboxes);
  }

  /** Removes messages of any users under the locks of their inboxes. Some of them may be gone already. */
  private async deleteThese(appId: string, messages: readonly Removable[]): Promise<void> {
    await this.database.write(async (transaction) => {
      const uuids = new Set(messages.map((message) => message.user_uuid));
      const inboxes = new Map(
        (await this.lock(transaction, appId, [...uuids])).map((inbox) => [inbox.user_uuid, inbox]),
      );
      const among = this.database.dialect.among(
        'id',
        messages.map(({ id }) => id),
      );
      const present = await transaction.read<Removable>(
        `SELECT user_uuid, id, message_id, state FROM inbox_messages${this.byId} WHERE app_id = ? AND ${among.sql}`,
        [appId, ...among.values],
      );
      await this.remove(transaction, appId, present, inboxes);
      await this.save(transaction, inboxes);
    }, appId);
  }

  /** Removes these messages and counts them off the inboxes, which the caller has locked and saves. */
  private async remove(
    transaction: Transaction,
    appId: string,
    messages: readonly Removable[],
    inboxes: ReadonlyMap<string, LockedInbox>,
  ): Promise<void> {
    if (messages.length === 0) return;
    for (const { user_uuid, state } of messages) {
      const inbox = inboxes.get(user_uuid);
      if (inbox === undefined) continue;
      if (state === undelivered) inbox.undelivered -= 1;
      if (state === 2) inbox.history -= 1;
      else inbox.kept -= 1;
    }
    const among = this.database.dialect.among('id', messages.map(({ id }) => id).sort(byValue));
    await transaction.run(`DELETE FROM inbox_messages${this.byIdToChange} WHERE app_id = ? AND ${among.sql}`, [
      appId,
      ...among.values,
    ]);
    await this.removeUnheld(transaction, appId, [...new Set(messages.map((message) => message.message_id))]);
  }

  /** Of these messages, removes those that no inbox holds any more. */
  private async removeUnheld(transaction: Transaction, appId: string, messageIds: readonly number[]): Promise<void> {
    const among = this.database.dialect.among('message_id', messageIds);
    const held = await transaction.read<{ message_id: number }>(
      `SELECT DISTINCT message_id FROM inbox_messages WHERE app_id = ? AND ${among.sql}`,
      [appId, ...among.values],
    );
    const kept = new Set(held.map((row) => row.message_id));
    const unheld = messageIds.filter((id) => !kept.has(id)).sort(byValue);
    if (unheld.length === 0) return;
    const gone = this.database.dialect.among('id', unheld);
    await transaction.run(`DELETE FROM messages WHERE app_id = ? AND ${gone.sql}`, [appId, ...gone.values]);
  }

  /** The inboxes of these users, made where missing. Nobody else makes one meanwhile: the caller holds the users. */
  private async lockOrCreate(
    transaction: Transaction,
    appId: string,
    userUuids: readonly string[],
  ): Promise<Map<string, LockedInbox>> {
    const inboxes = new Map((await this.lock(transaction, appId, userUuids)).map((inbox) => [inbox.user_uuid, inbox]));
    const missing = userUuids.filter((uuid) => !inboxes.has(uuid)).sort();
    const created = missing.map((user_uuid): LockedInbox => ({ app_id: appId, user_uuid, ...emptyInbox }));
    await transaction.insert('inboxes', inboxColumns, created);
    for (const inbox of created) inboxes.set(inbox.user_uuid, inbox);
    return inboxes;
  }

  private async lock(transaction: Transaction, appId: string, userUuids: readonly string[]): Promise<LockedInbox[]> {
    if (userUuids.length === 0) return [];
    const among = this.database.dialect.among('user_uuid', [...userUuids].sort());
    return transaction.read<LockedInbox>(
      `SELECT ${inboxColumns.join(', ')} FROM inboxes WHERE app_id = ? AND ${among.sql}${this.database.dialect.forUpdate}`,
      [appId, ...among.values],
    );
  }

  private async save(transaction: Transaction, inboxes: ReadonlyMap<string, LockedInbox>): Promise<void> {
    const rows = [...inboxes.values()].sort((one, other) => (one.user_uuid < other.user_uuid ? -1 : 1));
    if (rows.length > 0) await transaction.updateRows('inboxes', ['app_id', 'user_uuid'], inboxCounters, rows);
  }

  private async readInboxes(appId: string, uuids: readonly string[]): Promise<Inbox[]> {
    const among = this.database.dialect.among('user_uuid', [...new Set(uuids)]);
    const rows = await this.database.read<InboxRow>(
      `SELECT ${inboxColumns.join(', ')} FROM inboxes WHERE app_id = ? AND ${among.sql}`,
      [appId, ...among.values],
      appId,
    );
    const inboxes = new Map(rows.map((row) => [row.user_uuid, row]));
    return uuids.map((uuid) => inboxes.get(uuid) ?? emptyInbox);
  }

  private async readStates(appId: string, keys: readonly { userUuid: string; id: number }[]) {
    const among = this.database.dialect.among('id', [...new Set(keys.map(({ id }) => id))]);
    const rows = await this.database.read<InboxPlace>(
      `SELECT user_uuid, id, seq, state FROM inbox_messages${this.byId} WHERE app_id = ? AND ${among.sql}`,
      [appId, ...among.values],
      appId,
    );
    const found = new Map(rows.map((row) => [row.id, row]));
    return keys.map(({ userUuid, id }) => {
      const row = found.get(id);
      return row?.user_uuid === userUuid ? row : null;
    });
  }
}

function toUnreadBound(userUuid: string, { last_seq, read_seq, kept, history }: Inbox): UnreadBound {
  return { userUuid, readSeq: read_seq, messages: Math.min(last_seq - read_seq, kept + history) };
}

function byValue(one: number, other: number): number {
  return one - other;
}

/**
 * The oldest messages of whoever has the most in the inbox, one after the other, so that a flood makes room by itself and
 * leaves what others wrote. Each message has its rank among those of its sender, the newest the first: the highest rank
 * is the oldest message of the sender with the most. What older versions stored counts as one sender's.
 */
function keptToRemove({ app_id, user_uuid, kept }: LockedInbox, count: number, maxLooks: number): Query {
  const columns = 'user_uuid, id, message_id, state';
  const all = `SELECT ${columns}, seq, sender FROM inbox_messages WHERE app_id = ? AND user_uuid = ? AND state < 2`;
  const ends =
    `SELECT * FROM (${all} ORDER BY seq LIMIT ?) AS oldest` +
    ` UNION SELECT * FROM (${all} ORDER BY seq DESC LIMIT ?) AS newest`;
  const end = [app_id, user_uuid, Math.floor(maxLooks / 2)];
  const ranked =
    `SELECT ${columns}, seq, ROW_NUMBER() OVER (PARTITION BY sender ORDER BY seq DESC) AS place` +
    ` FROM (${kept > maxLooks ? ends : all}) AS kept`;
  return {
    sql: `SELECT ${columns} FROM (${ranked}) AS ranked ORDER BY place DESC, seq LIMIT ?`,
    values: [...(kept > maxLooks ? [...end, ...end] : [app_id, user_uuid]), count],
  };
}

/** The oldest: a device has each of them, and only their states go. */
function historyToRemove({ app_id, user_uuid }: LockedInbox, count: number): Query {
  return {
    sql:
      'SELECT user_uuid, id, message_id, state FROM inbox_messages' +
      ' WHERE app_id = ? AND user_uuid = ? AND state = 2 ORDER BY seq LIMIT ?',
    values: [app_id, user_uuid, count],
  };
}
