import { Injectable } from '@nestjs/common';
import { Database, type Transaction } from '../database/database.js';
import { Gatherer } from '../database/gatherer.js';
import type { InboxRow } from './inbox.entity.js';

export type Inbox = Pick<InboxRow, 'last_seq' | 'read_seq' | 'undelivered' | 'kept' | 'history'>;

/** An inbox whose row the transaction has locked; the caller changes its counters and saves it. */
export type LockedInbox = { -readonly [Key in keyof Inbox]: Inbox[Key] } & Pick<InboxRow, 'app_id' | 'user_uuid'>;

/** By user uuid. */
export type LockedInboxes = ReadonlyMap<string, LockedInbox>;

const counters = ['last_seq', 'read_seq', 'undelivered', 'kept', 'history'] as const;
const columns = ['app_id', 'user_uuid', ...counters];
const emptyInbox: Inbox = { last_seq: 0, read_seq: 0, undelivered: 0, kept: 0, history: 0 };
const readsPerRun = 500;

/**
 * The head rows of inboxes. An inbox changes only under the lock of its row; users are locked before inboxes, and both
 * in key order, which prevents deadlocks.
 */
@Injectable()
export class InboxesRepository {
  private readonly reads: Gatherer<string, Inbox>;

  constructor(private readonly database: Database) {
    this.reads = new Gatherer((appId, uuids) => this.readAll(appId, uuids), { rows: readsPerRun, runs: 2 });
  }

  /** The inbox of a user, empty if there is none. */
  find(appId: string, userUuid: string): Promise<Inbox> {
    return this.reads.add(appId, userUuid);
  }

  /** The inboxes of up to 500 users, in their order. */
  findAll(appId: string, userUuids: readonly string[]): Promise<readonly Inbox[]> {
    return this.reads.addAll(appId, userUuids);
  }

  /** Up to `limit` inboxes whose newest message is unread, in order of user uuid, after `afterUuid`. */
  listNotReadToEnd(appId: string, afterUuid: string, limit: number): Promise<InboxRow[]> {
    return this.database.read<InboxRow>(
      `SELECT ${columns.join(', ')} FROM inboxes WHERE app_id = ? AND user_uuid > ? AND last_seq > read_seq` +
        ' ORDER BY user_uuid LIMIT ?',
      [appId, afterUuid, limit],
      appId,
    );
  }

  async lock(transaction: Transaction, appId: string, userUuids: readonly string[]): Promise<Map<string, LockedInbox>> {
    if (userUuids.length === 0) return new Map();
    const { among, forUpdate } = this.database.dialect;
    const users = among('user_uuid', [...userUuids].sort());
    const inboxes = await transaction.read<LockedInbox>(
      `SELECT ${columns.join(', ')} FROM inboxes WHERE app_id = ? AND ${users.sql}${forUpdate}`,
      [appId, ...users.values],
    );
    return new Map(inboxes.map((inbox) => [inbox.user_uuid, inbox]));
  }

  /** As `lock`, but creates missing ones. The caller has locked the users, so no other transaction can create one. */
  async lockOrCreate(transaction: Transaction, appId: string, userUuids: readonly string[]): Promise<LockedInboxes> {
    const inboxes = await this.lock(transaction, appId, userUuids);
    const missing = userUuids.filter((uuid) => !inboxes.has(uuid)).sort();
    const created = missing.map((user_uuid): LockedInbox => ({ app_id: appId, user_uuid, ...emptyInbox }));
    await transaction.insert('inboxes', columns, created);
    for (const inbox of created) inboxes.set(inbox.user_uuid, inbox);
    return inboxes;
  }

  async save(transaction: Transaction, inboxes: LockedInboxes): Promise<void> {
    const rows = [...inboxes.values()].sort((one, other) => (one.user_uuid < other.user_uuid ? -1 : 1));
    if (rows.length > 0) await transaction.updateRows('inboxes', ['app_id', 'user_uuid'], counters, rows);
  }

  private async readAll(appId: string, uuids: readonly string[]): Promise<Inbox[]> {
    const among = this.database.dialect.among('user_uuid', [...new Set(uuids)]);
    const rows = await this.database.read<InboxRow>(
      `SELECT ${columns.join(', ')} FROM inboxes WHERE app_id = ? AND ${among.sql}`,
      [appId, ...among.values],
      appId,
    );
    const inboxes = new Map(rows.map((row) => [row.user_uuid, row]));
    return uuids.map((uuid) => inboxes.get(uuid) ?? emptyInbox);
  }
}
