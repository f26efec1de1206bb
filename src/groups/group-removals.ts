import { Injectable } from '@nestjs/common';
import { Database } from '../database/database.js';
import type { SqlDialect } from '../database/sql-dialect.js';
import { type RemovalPortion, RemovalsService } from '../removals/removals.service.js';

/** A membership, and the counter of its group. */
const rowsPerLeaver = 2;

/**
 * Removes in portions what deleted groups leave behind (memberships and lists), and what deleted users leave behind:
 * groups they own, memberships in other groups, and list entries.
 */
@Injectable()
export class GroupRemovals {
  constructor(
    private readonly database: Database,
    removals: RemovalsService,
  ) {
    removals.register('user', (portion) => this.leaveGroups(portion));
    removals.register('user', (portion) => this.leaveLists(portion));
    removals.register('user', (portion) => this.deleteOwned(portion));
    removals.register('group', (portion) => this.deleteMembers(portion, portion.subjects.map(Number)));
    removals.register('group', (portion) => this.deleteLists(portion, portion.subjects.map(Number)));
  }

  /** Removes the users' memberships and subtracts them from the groups' counters. */
  private async leaveGroups({ transaction, appId, subjects, maxRows }: RemovalPortion): Promise<number> {
    const { among, forceIndex, forUpdate } = this.database.dialect;
    const users = among('user_uuid', subjects);
    const joined = await transaction.read<{ user_uuid: string; group_id: number }>(
      `SELECT user_uuid, group_id FROM group_members${forceIndex('group_members_by_user')}` +
        ` WHERE app_id = ? AND ${users.sql} LIMIT ?`,
      [appId, ...users.values, Math.ceil(maxRows / rowsPerLeaver)],
    );
    if (joined.length === 0) return 0;
    const groupsOf = new Map<string, number[]>();
    const leavers = new Map<number, number>();
    for (const { user_uuid, group_id } of joined) {
      groupsOf.set(user_uuid, [...(groupsOf.get(user_uuid) ?? []), group_id]);
      leavers.set(group_id, (leavers.get(group_id) ?? 0) + 1);
    }
    // Groups before members and in id order, as in every transaction, which prevents deadlocks.
    const groups = among('id', [...leavers.keys()].sort(byValue));
    await transaction.read(`SELECT id FROM chat_groups WHERE app_id = ? AND ${groups.sql} ORDER BY id${forUpdate}`, [
      appId,
      ...groups.values,
    ]);
    for (const [uuid, ids] of groupsOf) {
      const left = among('group_id', ids.sort(byValue));
      await transaction.run(`DELETE FROM group_members WHERE app_id = ? AND user_uuid = ? AND ${left.sql}`, [
        appId,
        uuid,
        ...left.values,
      ]);
    }
    for (const count of new Set(leavers.values())) {
      const ids = [...leavers].flatMap(([id, leaving]) => (leaving === count ? id : []));
      const losing = among('id', ids.sort(byValue));
      await transaction.run(`UPDATE chat_groups SET members = members - ? WHERE app_id = ? AND ${losing.sql}`, [
        count,
        appId,
        ...losing.values,
      ]);
    }
    return joined.length * rowsPerLeaver;
  }

  /** Removes the users from group lists and app-wide lists. */
  private leaveLists(portion: RemovalPortion): Promise<number> {
    const { among, forceIndex } = this.database.dialect;
    return this.deleteEntries(portion, forceIndex('group_list_entries_by_user'), among('user_uuid', portion.subjects));
  }

  /** Deletes groups that the users own: as many whole groups as fit into the portion, or part of one. */
  private async deleteOwned(whole: RemovalPortion): Promise<number> {
    const { transaction, appId, subjects } = whole;
    const { among, forceIndex, forUpdate } = this.database.dialect;
    const owners = among('owner_uuid', subjects);
    const owned = await transaction.read<{ id: number; members: number }>(
      `SELECT id, members FROM chat_groups${forceIndex('chat_groups_by_owner')}` +
        ` WHERE app_id = ? AND ${owners.sql} LIMIT ?${forUpdate}`,
      [appId, ...owners.values, whole.maxRows],
    );
    // Lists go first: once the groups are gone, their lists could not be found.
    const listed = await this.deleteLists(
      whole,
      owned.map(({ id }) => id),
    );
    const maxRows = whole.maxRows - listed;
    if (maxRows <= 0) return listed;
    return listed + (await this.deleteGroups({ ...whole, maxRows }, owned));
  }

  private async deleteGroups(
    portion: RemovalPortion,
    owned: readonly { readonly id: number; readonly members: number }[],
  ): Promise<number> {
    const { transaction, appId, maxRows } = portion;
    const { among } = this.database.dialect;
    let rows = 0;
    const whole: number[] = [];
    for (const { id, members } of owned) {
      if (rows + members + 1 > maxRows) break;
      rows += members + 1;
      whole.push(id);
    }
    const [first] = owned;
    if (first === undefined) return 0;
    if (whole.length === 0) {
      const removed = await this.deleteMembers(portion, [first.id]);
      await transaction.run('UPDATE chat_groups SET members = members - ? WHERE app_id = ? AND id = ?', [
        ...[removed, appId, first.id],
      ]);
      return maxRows;
    }
    whole.sort(byValue);
    const members = among('group_id', whole);
    await transaction.run(`DELETE FROM group_members WHERE app_id = ? AND ${members.sql}`, [appId, ...members.values]);
    const groups = among('id', whole);
    await transaction.run(`DELETE FROM chat_groups WHERE app_id = ? AND ${groups.sql}`, [appId, ...groups.values]);
    return whole.length < owned.length || owned.length >= maxRows ? maxRows : rows;
  }

  /** Removes about `maxRows` list entries of these groups. */
  private async deleteLists(portion: RemovalPortion, groupIds: readonly number[]): Promise<number> {
    return groupIds.length === 0
      ? 0
      : this.deleteEntries(portion, '', this.database.dialect.among('group_id', groupIds.toSorted(byValue)));
  }

  /** Removes list entries; everything that matches `condition` has to go. */
  private async deleteEntries(
    { transaction, appId, maxRows }: RemovalPortion,
    index: string,
    condition: ReturnType<SqlDialect['among']>,
  ): Promise<number> {
    const { among, forceIndexToChange } = this.database.dialect;
    const entries = await transaction.read<{ user_uuid: string; group_id: number }>(
      `SELECT user_uuid, group_id FROM group_list_entries${index} WHERE app_id = ? AND ${condition.sql} LIMIT ?`,
      [appId, ...condition.values, maxRows],
    );
    if (entries.length === 0) return 0;
    // Also deletes entries of these users and groups beyond the limit: they have to go anyway, and are few.
    const users = among('user_uuid', [...new Set(entries.map((row) => row.user_uuid))].sort());
    const groups = among('group_id', [...new Set(entries.map((row) => row.group_id))].sort(byValue));
    await transaction.run(
      `DELETE FROM group_list_entries${forceIndexToChange('group_list_entries_by_user')}` +
        ` WHERE app_id = ? AND ${users.sql} AND ${groups.sql}`,
      [appId, ...users.values, ...groups.values],
    );
    return entries.length;
  }

  /** Removes up to `maxRows` memberships of these groups. */
  private async deleteMembers(portion: RemovalPortion, groupIds: readonly number[]): Promise<number> {
    const { transaction, appId, maxRows } = portion;
    let removed = 0;
    for (const groupId of groupIds) {
      const members = await transaction.read<{ user_uuid: string }>(
        'SELECT user_uuid FROM group_members WHERE app_id = ? AND group_id = ? ORDER BY user_uuid LIMIT ?',
        [appId, groupId, maxRows - removed],
      );
      const last = members.at(-1);
      if (last === undefined) continue;
      await transaction.run('DELETE FROM group_members WHERE app_id = ? AND group_id = ? AND user_uuid <= ?', [
        ...[appId, groupId, last.user_uuid],
      ]);
      removed += members.length;
      if (removed >= maxRows) break;
    }
    return removed;
  }
}

function byValue(one: number, other: number): number {
  return one - other;
}
