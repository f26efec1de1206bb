import { Injectable } from '@nestjs/common';
import { Database, type Transaction } from '../database/database.js';
import { TimeOrderedIds } from '../ids/time-ordered-ids.js';
import type { ContactListRow } from './contact-list.entity.js';

/** A list whose row the transaction has locked; the caller changes the counter and saves it. */
export type LockedList = { -readonly [Key in keyof ContactListRow]: ContactListRow[Key] };

/** Keyed by their users' uuids. */
export type LockedLists = ReadonlyMap<string, LockedList>;

const columns = ['app_id', 'user_uuid', 'list_id', 'contacts'];

/**
 * The head rows of contact lists. A list changes only while its head is locked; users are locked before lists, both in
 * key order, which prevents deadlocks.
 */
@Injectable()
export class ContactListsRepository {
  constructor(
    private readonly database: Database,
    private readonly ids: TimeOrderedIds,
  ) {}

  /** These users' lists, keyed by user uuid; users who never had contacts have none. */
  async find(appId: string, userUuids: readonly string[]): Promise<Map<string, ContactListRow>> {
    if (userUuids.length === 0) return new Map();
    const users = this.database.dialect.among('user_uuid', userUuids);
    const rows = await this.database.read<ContactListRow>(
      `SELECT ${columns.join(', ')} FROM contact_lists WHERE app_id = ? AND ${users.sql}`,
      [appId, ...users.values],
      appId,
    );
    return new Map(rows.map((row) => [row.user_uuid, row]));
  }

  async lock(transaction: Transaction, appId: string, userUuids: readonly string[]): Promise<Map<string, LockedList>> {
    if (userUuids.length === 0) return new Map();
    const { among, forUpdate } = this.database.dialect;
    const users = among('user_uuid', [...userUuids].sort());
    const rows = await transaction.read<LockedList>(
      `SELECT ${columns.join(', ')} FROM contact_lists WHERE app_id = ? AND ${users.sql}${forUpdate}`,
      [appId, ...users.values],
    );
    return new Map(rows.map((row) => [row.user_uuid, row]));
  }

  /** As `lock`, and creates missing lists. No other transaction can create one: the caller has locked the users. */
  async lockOrCreate(transaction: Transaction, appId: string, userUuids: readonly string[]): Promise<LockedLists> {
    const lists = await this.lock(transaction, appId, userUuids);
    const missing = userUuids.filter((uuid) => !lists.has(uuid)).sort();
    const created = missing.map((user_uuid): LockedList => ({
      app_id: appId,
      user_uuid,
      list_id: this.ids.next(),
      contacts: 0,
    }));
    await transaction.insert(
      'contact_lists',
      columns,
      created.map((list) => ({ ...list })),
    );
    for (const list of created) lists.set(list.user_uuid, list);
    return lists;
  }

  async save(transaction: Transaction, lists: readonly LockedList[]): Promise<void> {
    const rows = lists.map((list) => ({ ...list })).sort((one, other) => (one.user_uuid < other.user_uuid ? -1 : 1));
    await transaction.updateRows('contact_lists', ['app_id', 'user_uuid'], ['list_id', 'contacts'], rows);
  }

  async delete(transaction: Transaction, appId: string, userUuids: readonly string[]): Promise<void> {
    const users = this.database.dialect.among('user_uuid', [...userUuids].sort());
    await transaction.run(`DELETE FROM contact_lists WHERE app_id = ? AND ${users.sql}`, [appId, ...users.values]);
  }
}
