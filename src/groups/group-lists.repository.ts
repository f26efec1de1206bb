import { Injectable } from '@nestjs/common';
import { Clock } from '../clock/clock.js';
import { Database, type SqlValue, type Transaction } from '../database/database.js';
import { TimeOrderedIds } from '../ids/time-ordered-ids.js';
import type { GroupListEntryRow } from './group-list-entry.entity.js';
import { forever, type GroupList, type GroupListEntry } from './group-list.js';

const columns = ['app_id', 'group_id', 'user_uuid', 'list', 'expires_at', 'id'];
/** The most that one call adds, so that ended mutes cannot accumulate. */
const prunedPerCall = 100;

/** Statements on the user lists that groups keep. */
@Injectable()
export class GroupListsRepository {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly ids: TimeOrderedIds,
  ) {}

  /** Up to `limit` entries after `after` that have not ended, latest end first, then newest first. */
  async listAfter(
    appId: string,
    groupId: number,
    list: GroupList,
    after: Pick<GroupListEntry, 'expiresAt' | 'id'> | null,
    limit: number,
  ): Promise<GroupListEntry[]> {
    // Two ranges of one index; a condition with OR would scan the index from its beginning.
    const sameEnd =
      after === null
        ? []
        : await this.list(appId, groupId, list, 'e.expires_at = ? AND e.id < ?', [after.expiresAt, after.id], limit);
    if (sameEnd.length === limit) return sameEnd;
    const [now, before] = [this.clock.now(), after?.expiresAt ?? forever + 1];
    const earlier = 'e.expires_at > ? AND e.expires_at < ?';
    return [...sameEnd, ...(await this.list(appId, groupId, list, earlier, [now, before], limit - sameEnd.length))];
  }

  /** Which lists of a group each of these users is on, in a transaction that locks the group. */
  async listsOf(
    transaction: Transaction,
    appId: string,
    groupId: number,
    userUuids: readonly string[],
  ): Promise<Map<string, Set<GroupList>>> {
    const found = new Map<string, Set<GroupList>>();
    if (userUuids.length === 0) return found;
    const { among, forceIndex } = this.database.dialect;
    const users = among('user_uuid', userUuids);
    const rows = await transaction.read<Pick<GroupListEntryRow, 'user_uuid' | 'list' | 'expires_at'>>(
      `SELECT user_uuid, list, expires_at FROM group_list_entries${forceIndex('group_list_entries_by_user')}` +
        ` WHERE app_id = ? AND group_id = ? AND ${users.sql}`,
      [appId, groupId, ...users.values],
    );
    for (const { user_uuid, list, expires_at } of rows)
      if (expires_at > this.clock.now()) found.set(user_uuid, (found.get(user_uuid) ?? new Set()).add(list));
    return found;
  }

  /** Number of entries on a list with a small limit. */
  async count(transaction: Transaction, appId: string, groupId: number, list: GroupList): Promise<number> {
    const { selectInOrder, forceIndex } = this.database.dialect;
    const rows = await transaction.read(
      `${selectInOrder} e.id FROM group_list_entries e${forceIndex('group_list_entries_by_end')}` +
        ` CROSS JOIN users u${forceIndex('users_by_uuid')} ON u.app_id = e.app_id AND u.uuid = e.user_uuid` +
        ' WHERE e.app_id = ? AND e.group_id = ? AND e.list = ?',
      [appId, groupId, list],
    );
    return rows.length;
  }

  /** Puts users on a list, replacing their existing entries. */
  async put(
    transaction: Transaction,
    appId: string,
    groupId: number,
    list: GroupList,
    userUuids: readonly string[],
    expiresAt: number,
  ): Promise<void> {
    if (userUuids.length === 0) return;
    await this.take(transaction, appId, groupId, [list], userUuids);
    const rows = userUuids.toSorted().map((uuid): GroupListEntryRow => ({
      ...{ app_id: appId, group_id: groupId, user_uuid: uuid, list, expires_at: expiresAt, id: this.ids.next() },
    }));
    await transaction.insert(
      'group_list_entries',
      columns,
      rows.map((row) => ({ ...row })),
    );
  }

  async take(
    transaction: Transaction,
    appId: string,
    groupId: number,
    lists: readonly GroupList[],
    userUuids: readonly string[],
  ): Promise<void> {
    if (userUuids.length === 0) return;
    const { among, forceIndexToChange } = this.database.dialect;
    const [users, on] = [among('user_uuid', userUuids.toSorted()), among('list', lists)];
    await transaction.run(
      `DELETE FROM group_list_entries${forceIndexToChange('group_list_entries_by_user')}` +
        ` WHERE app_id = ? AND group_id = ? AND ${users.sql} AND ${on.sql}`,
      [appId, groupId, ...users.values, ...on.values],
    );
  }

  /** Removes some of a group's ended mutes. */
  async pruneEnded(transaction: Transaction, appId: string, groupId: number): Promise<void> {
    const ended = await transaction.read<{ user_uuid: string }>(
      `SELECT user_uuid FROM group_list_entries${this.database.dialect.forceIndex('group_list_entries_by_end')}` +
        " WHERE app_id = ? AND group_id = ? AND list = 'mute' AND expires_at <= ? ORDER BY expires_at LIMIT ?",
      [appId, groupId, this.clock.now(), prunedPerCall],
    );
    const uuids = ended.map((row) => row.user_uuid);
    await this.take(transaction, appId, groupId, ['mute'], uuids);
  }

  /** Entries of users who exist. */
  private async list(
    appId: string,
    groupId: number,
    list: GroupList,
    condition: string,
    values: readonly SqlValue[],
    limit: number,
  ): Promise<GroupListEntry[]> {
    const { selectInOrder, forceIndex } = this.database.dialect;
    return this.database.read<GroupListEntry>(
      `${selectInOrder} e.user_uuid AS userUuid, u.username, e.expires_at AS expiresAt, e.id` +
        ` FROM group_list_entries e${forceIndex('group_list_entries_by_end')}` +
        ` CROSS JOIN users u${forceIndex('users_by_uuid')} ON u.app_id = e.app_id AND u.uuid = e.user_uuid` +
        ` WHERE e.app_id = ? AND e.group_id = ? AND e.list = ? AND ${condition}` +
        ' ORDER BY e.expires_at DESC, e.id DESC LIMIT ?',
      [appId, groupId, list, ...values, limit],
      appId,
    );
  }
}
