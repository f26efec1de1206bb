import { Injectable } from '@nestjs/common';
import { AuditTrail } from '../audit/audit-trail.service.js';
import { Database, type SqlValue, type Transaction } from '../database/database.js';
import { TimeOrderedIds } from '../ids/time-ordered-ids.js';
import { RemovalsService } from '../removals/removals.service.js';
import { targetOf } from '../users/user-audit.js';
import type { User } from '../users/user.js';
import { UsersService } from '../users/users.service.js';
import type { AddOutcome, Contact, Friendship } from './contact.js';
import type { ContactListRow } from './contact-list.entity.js';
import { ContactListsRepository, type LockedList } from './contact-lists.repository.js';

const columns = ['app_id', 'list_id', 'friend_list_id', 'friend_uuid', 'id', 'remark'];

/** Contacts between users, always mutual. */
@Injectable()
export class ContactsRepository {
  constructor(
    private readonly database: Database,
    private readonly ids: TimeOrderedIds,
    private readonly users: UsersService,
    private readonly lists: ContactListsRepository,
    private readonly removals: RemovalsService,
    private readonly audit: AuditTrail,
  ) {}

  /**
   * Makes the user and each friend contacts of each other, as long as both lists have room.
   * @throws AppError user_not_found when one of them has since been deleted
   */
  add(user: User, friends: readonly User[], maxContacts: number): Promise<AddOutcome[]> {
    const { appId } = user;
    return this.database.write(async (transaction) => {
      await this.users.lockAllForUpdate(transaction, appId, [user, ...friends]);
      const uuids = [user, ...friends].map(({ uuid }) => uuid);
      const lists = await this.lists.lockOrCreate(transaction, appId, uuids);
      const own = lists.get(user.uuid) as LockedList;
      const theirs = friends.map(({ uuid }) => lists.get(uuid) as LockedList);
      const present = await this.listed(transaction, own, theirs);
      const rows: Record<string, SqlValue>[] = [];
      const outcomes: AddOutcome[] = [];
      let room = await this.roomOn(transaction, own, maxContacts, friends.length);
      for (const list of theirs) {
        if (present.has(list.list_id)) outcomes.push('present');
        else if (room <= 0 || (await this.roomOn(transaction, list, maxContacts, 1)) <= 0) outcomes.push('full');
        else {
          const id = this.ids.next();
          rows.push(rowOf(own, list, id), rowOf(list, own, id));
          room -= 1;
          own.contacts += 1;
          list.contacts += 1;
          outcomes.push('added');
        }
      }
      await transaction.insert('contacts', columns, rows.sort(byKey));
      if (rows.length === 0) return outcomes;
      await this.lists.save(transaction, [...lists.values()]);
      const added = friends.filter((_friend, index) => outcomes[index] === 'added').map(({ username }) => username);
      await this.audit.record(transaction, appId, [
        { action: 'user.add_contacts', ...targetOf(user), after: { contacts: added }, count: added.length },
      ]);
      return outcomes;
    }, appId);
  }

  /** Removes the contact on both sides; false when there was none. @throws AppError user_not_found as `add` */
  remove({ user, friend }: Friendship): Promise<boolean> {
    const { appId } = user;
    return this.database.write(async (transaction) => {
      await this.users.lockAllForUpdate(transaction, appId, [user, friend]);
      const lists = await this.lists.lock(transaction, appId, [user.uuid, friend.uuid]);
      const [own, other] = [lists.get(user.uuid), lists.get(friend.uuid)];
      if (own === undefined || other === undefined) return false;
      if (!(await this.listed(transaction, own, [other])).has(other.list_id)) return false;
      const gone = this.database.dialect.amongPairs(
        ['list_id', 'friend_list_id'],
        [
          [own.list_id, other.list_id],
          [other.list_id, own.list_id],
        ],
      );
      await transaction.run(`DELETE FROM contacts WHERE app_id = ? AND ${gone.sql}`, [appId, ...gone.values]);
      own.contacts -= 1;
      other.contacts -= 1;
      await this.lists.save(transaction, [own, other]);
      await this.audit.record(transaction, appId, [
        { action: 'user.remove_contacts', ...targetOf(user), before: { contacts: [friend.username] } },
      ]);
      return true;
    }, appId);
  }

  /** Removes a user's contacts on both sides, unreachable at once. @throws AppError user_not_found as `add` */
  clear(user: User): Promise<void> {
    const { appId } = user;
    return this.database.write(async (transaction) => {
      await this.users.lockAllForUpdate(transaction, appId, [user]);
      const list = (await this.lists.lock(transaction, appId, [user.uuid])).get(user.uuid);
      if (list === undefined || list.contacts === 0) return;
      const before = list.list_id;
      await this.lists.save(transaction, [{ ...list, list_id: this.ids.next(), contacts: 0 }]);
      await this.removals.begin(transaction, appId, 'contacts', [String(before)]);
      await this.audit.record(transaction, appId, [
        { action: 'user.remove_contacts', ...targetOf(user), before: { contacts: 'all' }, count: list.contacts },
      ]);
    }, appId);
  }

  /** Sets the user's own name for the friend; false when they are not contacts. */
  async setRemark({ user, friend }: Friendship, remark: string | null): Promise<boolean> {
    const { appId } = user;
    return this.database.write(async (transaction) => {
      const lists = await this.lists.lock(transaction, appId, [user.uuid, friend.uuid]);
      const [own, other] = [lists.get(user.uuid), lists.get(friend.uuid)];
      if (own === undefined || other === undefined) return false;
      const [contact] = await transaction.read<{ remark: string | null }>(
        'SELECT remark FROM contacts WHERE app_id = ? AND list_id = ? AND friend_list_id = ?',
        [appId, own.list_id, other.list_id],
      );
      if (contact === undefined) return false;
      if (contact.remark === remark) return true;
      await transaction.run('UPDATE contacts SET remark = ? WHERE app_id = ? AND list_id = ? AND friend_list_id = ?', [
        remark,
        appId,
        own.list_id,
        other.list_id,
      ]);
      const [before, after] = [contact.remark, remark].map((text) => ({ contact: friend.username, remark: text }));
      await this.audit.record(transaction, appId, [
        { action: 'user.change_contact', ...targetOf(user), before, after },
      ]);
      return true;
    }, appId);
  }

  /** A user's list; null when the user never had a contact. Its counter may include deleted users. */
  async findList({ appId, uuid }: User): Promise<ContactListRow | null> {
    return (await this.lists.find(appId, [uuid])).get(uuid) ?? null;
  }

  /** Up to `limit` contacts on the list before the id `beforeId`, newest first, without deleted users. */
  listBefore(list: ContactListRow, beforeId: number, limit: number): Promise<Contact[]> {
    const { selectInOrder, forceIndex } = this.database.dialect;
    // The list is looked up beforehand: with a join, MariaDB would sort all of its contacts for one page.
    return this.database.read<Contact>(
      `${selectInOrder} u.username AS username, c.remark AS remark, c.id AS id` +
        ` FROM contacts c${forceIndex('contacts_by_id')} CROSS JOIN contact_lists l` +
        ' ON l.app_id = c.app_id AND l.user_uuid = c.friend_uuid AND l.list_id = c.friend_list_id' +
        ` CROSS JOIN users u${forceIndex('users_by_uuid')} ON u.app_id = c.app_id AND u.uuid = c.friend_uuid` +
        ' WHERE c.app_id = ? AND c.list_id = ? AND c.id < ? ORDER BY c.id DESC LIMIT ?',
      [list.app_id, list.list_id, beforeId, limit],
      list.app_id,
    );
  }

  /** The uuids of the given users who are contacts of the user. */
  async contactsAmong(user: User, some: readonly User[]): Promise<ReadonlySet<string>> {
    const { appId } = user;
    const lists = await this.lists.find(appId, [...new Set([user, ...some].map(({ uuid }) => uuid))]);
    const own = lists.get(user.uuid);
    if (own === undefined) return new Set();
    const friends = this.database.dialect.among(
      'friend_list_id',
      [...lists.values()].map((list) => list.list_id),
    );
    const rows = await this.database.read<{ friend_uuid: string }>(
      `SELECT friend_uuid FROM contacts WHERE app_id = ? AND list_id = ? AND ${friends.sql}`,
      [appId, own.list_id, ...friends.values],
      appId,
    );
    return new Set(rows.map((row) => row.friend_uuid));
  }

  /** The ids of the given lists that are on the list `own`. */
  private async listed(
    transaction: Transaction,
    own: LockedList,
    others: readonly LockedList[],
  ): Promise<ReadonlySet<number>> {
    const friends = this.database.dialect.among(
      'friend_list_id',
      others.map((list) => list.list_id),
    );
    const rows = await transaction.read<{ friend_list_id: number }>(
      `SELECT friend_list_id FROM contacts WHERE app_id = ? AND list_id = ? AND ${friends.sql}`,
      [own.app_id, own.list_id, ...friends.values],
    );
    return new Set(rows.map((row) => row.friend_list_id));
  }

  /**
   * How many more contacts fit on a list. When its counter leaves too little room for the `needed` ones, deleted users
   * whose rows are still to be removed are not counted.
   */
  private async roomOn(transaction: Transaction, list: LockedList, maxContacts: number, needed: number) {
    const room = maxContacts - list.contacts;
    if (room >= needed) return room;
    const pending = await transaction.read('SELECT subject FROM removals WHERE app_id = ? LIMIT 1', [list.app_id]);
    return pending.length === 0 ? room : maxContacts - (await this.count(transaction, list));
  }

  private async count(transaction: Transaction, list: LockedList): Promise<number> {
    const { selectInOrder, forceIndex } = this.database.dialect;
    const [row] = await transaction.read<{ contacts: number | string }>(
      `${selectInOrder} COUNT(u.uuid) AS contacts FROM contacts c` +
        ' CROSS JOIN contact_lists l ON l.app_id = c.app_id AND l.user_uuid = c.friend_uuid AND l.list_id = c.friend_list_id' +
        ` CROSS JOIN users u${forceIndex('users_by_uuid')} ON u.app_id = c.app_id AND u.uuid = c.friend_uuid` +
        ' WHERE c.app_id = ? AND c.list_id = ?',
      [list.app_id, list.list_id],
    );
    return Number(row?.contacts ?? 0);
  }
}

function rowOf(own: LockedList, friend: LockedList, id: number): Record<string, SqlValue> {
  return {
    ...{ app_id: own.app_id, list_id: own.list_id, friend_list_id: friend.list_id },
    ...{ friend_uuid: friend.user_uuid, id, remark: null },
  };
}

function byKey(one: Record<string, SqlValue>, other: Record<string, SqlValue>): number {
  const difference = (key: string): number => (one[key] as number) - (other[key] as number);
  return difference('list_id') || difference('friend_list_id');
}
